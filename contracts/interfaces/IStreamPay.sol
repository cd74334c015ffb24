// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IStreamPay
/// @notice A deposit that turns into the payee's money second by second.
/// @dev Escrow is kept as time: accrued(t) = ratePerSecond * (min(t, end) - lastPaid), deposit left =
/// ratePerSecond * (end - lastPaid). Times are unix seconds, amounts raw units of `asset` (zero = native coin).
/// Money rule of every exit: the caller's share is pushed (credited if the push fails), the other's is credited.
interface IStreamPay {
    enum Status {
        UNKNOWN, // the id was never used
        ACTIVE, // accruing
        ENDED, // past its end, money still to be collected
        CLOSED // everything was paid or credited
    }

    struct Stream {
        address payer;
        address payee;
        address asset;
        uint64 ratePerSecond;
        uint32 start;
        uint32 end;
        uint32 lastPaid;
        uint32 providerId;
    }

    struct UpdatePreview {
        uint256 accrued;
        uint256 reward;
        bool completes;
    }

    event StreamCreated(
        uint256 indexed id,
        address indexed payer,
        address indexed payee,
        address asset,
        uint256 ratePerSecond,
        uint256 start,
        uint256 end,
        uint256 providerId,
        uint8 serviceType
    );
    event StreamToppedUp(uint256 indexed id, address indexed by, uint256 amount, uint256 end);
    event StreamWithdrawn(uint256 indexed id, address indexed payee, uint256 amount);
    /// @dev `paid` is what the payee got by this call, `refunded` what the payer got.
    event StreamCancelled(uint256 indexed id, address indexed by, uint256 paid, uint256 refunded);
    event StreamSettled(uint256 indexed id, uint256 paid, uint256 refunded);
    event StreamRedirected(uint256 indexed id, uint256 indexed newId, uint256 paid, uint256 moved, uint256 refunded);
    /// @dev `accrued` includes the keeper's `reward`; `completed`: the stream reached its end and is gone.
    event StreamUpdated(uint256 indexed id, uint256 accrued, uint256 reward, bool completed);
    event CreditAdded(address indexed account, address indexed asset, uint256 amount);
    event CreditWithdrawn(address indexed account, address indexed asset, address to, uint256 amount);

    error StreamPay_UnknownStream(uint256 id);
    error StreamPay_ZeroRecipient();
    error StreamPay_DurationOutOfRange(uint256 duration, uint256 max);
    error StreamPay_DepositTooSmall(uint256 amount, uint256 minimum);
    error StreamPay_RateOutOfRange(uint256 ratePerSecond, uint256 max);
    error StreamPay_UnknownServiceType(uint256 serviceType);
    error StreamPay_ProviderInactive(uint256 providerId);
    error StreamPay_RecipientNotProvider(address recipient, address owner);
    error StreamPay_RateBelowPrice(uint256 ratePerSecond, uint256 pricePerSecond);
    error StreamPay_AssetMismatch(address asset, address expected);
    error StreamPay_ServiceTypeMismatch(uint8 serviceType, uint8 expected);
    error StreamPay_UnexpectedValue(uint256 value);
    error StreamPay_DeliveredLess(uint256 delivered, uint256 asked);
    error StreamPay_NotPayer(uint256 id, address caller, address payer);
    error StreamPay_NotPayee(uint256 id, address caller, address payee);
    error StreamPay_NotParty(uint256 id, address caller);
    error StreamPay_PartiesMismatch(uint256 id, address payer, address recipient);
    error StreamPay_StreamEnded(uint256 id, uint256 end);
    error StreamPay_NothingToWithdraw(uint256 id);
    error StreamPay_NothingCredited(address account, address asset);
    error StreamPay_BadSettlementSignature(uint256 id, uint256 owed);
    error StreamPay_TooManyIds(uint256 count, uint256 max);
    error StreamPay_TransferFailed(address to, uint256 amount);
    error StreamPay_DirectTransfer();

    function createStream(address recipient, uint256 duration, uint8 serviceType, uint256 providerId)
        external
        payable
        returns (uint256 id);

    function createStream(
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId
    ) external returns (uint256 id);

    function createStreamWithPermit(
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 id);

    /// @notice Opens a stream with the payer's EIP-3009 authorization, sent by anyone: the payer needs no gas.
    /// @dev The authorization's nonce must be `authorizationNonce(...)` of the same terms, so a relayer can change none.
    function createStreamWithAuthorization(
        address payer,
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external returns (uint256 id);

    function authorizationNonce(
        address payer,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId,
        bytes32 salt
    ) external pure returns (bytes32 nonce);

    function topUpStream(uint256 id, address payer, address recipient) external payable;

    function topUpStream(uint256 id, address payer, address recipient, uint256 amount) external;

    function withdrawFromStream(uint256 id) external;

    function cancelStream(uint256 id) external;

    /// @notice Ends a stream paying `owed` in total since its start, as signed by the payee or the provider's signer.
    /// @dev `owed` is held between what was already paid and what the clock says, so nobody can block or inflate it.
    function settleStream(uint256 id, uint256 owed, bytes calldata signature) external;

    function redirectStream(uint256 id, address recipient, uint256 providerId) external returns (uint256 newId);

    function batchUpdateStreams(uint256[] calldata ids) external;

    function previewBatchUpdate(uint256[] calldata ids)
        external
        view
        returns (UpdatePreview[] memory previews, uint256 nativeReward);

    function withdrawCredit(address asset, address to) external;

    function creditOf(address account, address asset) external view returns (uint256 amount);

    function getStream(uint256 id) external view returns (Stream memory stream);

    function getCurrentBalance(uint256 id) external view returns (uint256 accrued);

    function statusOf(uint256 id) external view returns (Status status);

    function getProtocolStats() external view returns (uint256 streamsCreated);

    function settlementDigest(uint256 id, uint256 owed) external view returns (bytes32 digest);
}
