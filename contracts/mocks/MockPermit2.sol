// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IPermit2} from "../interfaces/IPermit2.sol";

/// @notice Permit2's signature transfer with a witness, for chains of tests: its typed data, bitmap of nonces, deadline.
/// @dev No immutables: its code also works where a test puts it.
contract MockPermit2 is IPermit2 {
    string private constant TYPE_STUB =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";

    /// @dev Nonces in any order: bit `nonce % 256` of word `nonce / 256`.
    mapping(address owner => mapping(uint256 word => uint256 bits)) public nonceBitmap;

    event UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask);

    error MockPermit2_Expired(uint256 deadline);
    error MockPermit2_NonceUsed(address owner, uint256 nonce);
    error MockPermit2_TooMuch(uint256 requested, uint256 permitted);
    error MockPermit2_BadSignature(address owner, bytes32 digest);

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external {
        if (block.timestamp > permit.deadline) revert MockPermit2_Expired(permit.deadline);
        if (transferDetails.requestedAmount > permit.permitted.amount) {
            revert MockPermit2_TooMuch(transferDetails.requestedAmount, permit.permitted.amount);
        }
        uint256 bit = 1 << (permit.nonce & 0xff);
        uint256 bits = nonceBitmap[owner][permit.nonce >> 8];
        if (bits & bit != 0) revert MockPermit2_NonceUsed(owner, permit.nonce);
        nonceBitmap[owner][permit.nonce >> 8] = bits | bit;
        bytes32 digest = _digest(permit, witness, witnessTypeString);
        if (!SignatureChecker.isValidSignatureNow(owner, digest, signature)) {
            revert MockPermit2_BadSignature(owner, digest);
        }
        // As the real one, the return value is not what counts: a token of no code "succeeds".
        (bool ok,) = permit.permitted.token.call(
            abi.encodeCall(IERC20.transferFrom, (owner, transferDetails.to, transferDetails.requestedAmount))
        );
        require(ok, "TRANSFER_FROM_FAILED");
    }

    function invalidateUnorderedNonces(uint256 word, uint256 mask) external {
        nonceBitmap[msg.sender][word] |= mask;
        emit UnorderedNonceInvalidation(msg.sender, word, mask);
    }

    function _digest(PermitTransferFrom calldata permit, bytes32 witness, string calldata witnessTypeString)
        private
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                address(this)
            )
        );
        bytes32 permitted = keccak256(
            abi.encode(
                keccak256("TokenPermissions(address token,uint256 amount)"),
                permit.permitted.token,
                permit.permitted.amount
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256(abi.encodePacked(TYPE_STUB, witnessTypeString)),
                permitted,
                msg.sender,
                permit.nonce,
                permit.deadline,
                witness
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, message));
    }
}
