// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IPermit2
/// @notice The one function of Permit2 that `PaymentChannel` uses.
interface IPermit2 {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Moves `owner`'s tokens by its signature over the permit, the caller and `witness`.
    /// @param permit What the owner permits.
    /// @param transferDetails What is taken of it, and to whom it goes.
    /// @param owner Whose tokens and signature.
    /// @param witness Hash of the extra structure that the owner signed.
    /// @param witnessTypeString Its type, as Permit2 appends it to its own.
    /// @param signature The owner's.
    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
