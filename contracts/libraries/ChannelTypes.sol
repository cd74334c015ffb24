// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ChannelTypes
/// @notice The typed structures and derived nonces of the `evm` / `session` draft.
library ChannelTypes {
    bytes32 internal constant VOUCHER = keccak256("Voucher(bytes32 channelId,uint128 cumulativeAmount)");
    bytes32 internal constant SETTLE_AUTHORIZATION =
        keccak256("SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)");
    bytes32 internal constant CLOSE_AUTHORIZATION =
        keccak256("CloseAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)");
    bytes32 internal constant OPEN_WITNESS =
        keccak256("ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)");
    bytes32 internal constant TOP_UP_WITNESS = keccak256("ChannelTopUpWitness(bytes32 channelId)");

    /// @dev Permit2 appends these to its own type, so the order of the structures is alphabetical.
    string internal constant OPEN_WITNESS_TYPE =
        "ChannelOpenWitness witness)ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)TokenPermissions(address token,uint256 amount)";
    string internal constant TOP_UP_WITNESS_TYPE =
        "ChannelTopUpWitness witness)ChannelTopUpWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";

    function channelId(address payer, address payee, address token, bytes32 salt, address authorizedSigner)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(payer, payee, token, salt, authorizedSigner, address(this), block.chainid));
    }

    function openNonce(address from, address payee, address token, bytes32 salt, address authorizedSigner)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(from, payee, token, salt, authorizedSigner));
    }

    function topUpNonce(bytes32 id, uint128 additionalDeposit, address from, bytes32 topUpSalt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(id, additionalDeposit, from, topUpSalt));
    }

    function voucher(bytes32 id, uint128 cumulativeAmount) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOUCHER, id, cumulativeAmount));
    }

    function settleAuthorization(bytes32 id, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SETTLE_AUTHORIZATION, id, cumulativeAmount, nonce, deadline));
    }

    function closeAuthorization(bytes32 id, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(CLOSE_AUTHORIZATION, id, cumulativeAmount, nonce, deadline));
    }

    function openWitness(address payee, bytes32 salt, address authorizedSigner) internal pure returns (bytes32) {
        return keccak256(abi.encode(OPEN_WITNESS, payee, salt, authorizedSigner));
    }

    function topUpWitness(bytes32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(TOP_UP_WITNESS, id));
    }
}
