// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title ChannelSignature
/// @notice Whether an account signed a digest: by its key, or as an ERC-1271 wallet.
library ChannelSignature {
    /// @dev Above this, `s` has a twin that recovers the same key (EIP-2).
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev The key is tried before the code, so an account with delegated code (EIP-7702) may still sign by its key.
    function isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signature.length == 65) {
            uint256 s = uint256(bytes32(signature[32:64]));
            if (s <= HALF_ORDER) {
                address key = ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(s));
                if (key == signer && key != address(0)) return true;
            }
        }
        // An account without code answers nothing, which is no.
        (bool answered, bytes memory answer) =
            signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return answered && answer.length >= 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }
}
