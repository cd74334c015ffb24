// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IERC3009
/// @notice The part of EIP-3009 that `StreamPay` uses, in the form with split and with packed signatures.
interface IERC3009 {
    /// @notice Moves the authorizer's tokens to the caller, as the authorizer signed.
    /// @param from The authorizer.
    /// @param to The receiver, which must be the caller.
    /// @param value Raw units.
    /// @param validAfter Unix seconds; valid when the clock is later.
    /// @param validBefore Unix seconds; valid while the clock is earlier.
    /// @param nonce Any 32 bytes the authorizer has not used.
    /// @param v Of the signature.
    /// @param r Of the signature.
    /// @param s Of the signature.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Moves the authorizer's tokens to the caller, as the authorizer signed.
    /// @param from The authorizer.
    /// @param to The receiver, which must be the caller.
    /// @param value Raw units.
    /// @param validAfter Unix seconds; valid when the clock is later.
    /// @param validBefore Unix seconds; valid while the clock is earlier.
    /// @param nonce Any 32 bytes the authorizer has not used.
    /// @param signature Whole, for wallets that are contracts.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
