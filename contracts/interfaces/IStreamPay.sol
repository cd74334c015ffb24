// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IComputeRegistry} from "./IComputeRegistry.sol";

/// @title IStreamPay
/// @notice A deposit that turns into the payee's money second by second.
/// @dev Escrow is kept as time: accrued(t) = ratePerSecond * (min(t, end) - lastPaid), deposit left =
/// ratePerSecond * (end - lastPaid). Every amount is an exact integer, no update however frequent loses a unit, and what
/// is the payee's and what is the payer's always sum to what is held. Times are unix seconds, amounts raw units of
/// `asset` (zero = native coin).
///
/// Money rule of every exit: the caller's share is pushed (credited if the push fails), the other's is credited. So no
/// exit depends on what anybody else's account, wallet or token does; credits are collected with {withdrawCredit}, to any
/// address.
///
/// Assumptions about an ERC-20: it moves exactly what it is asked to (one that delivers less on deposit is refused), a
/// balance changes only by transfers (no rebasing), and a transfer that returns false moved nothing. A token that breaks
/// them can hurt only holders of streams in that token.
///
/// The rate is at least one raw unit per second, so a token with very few decimals cannot be streamed slowly.
///
/// After every payment to a stream's provider the registry's record is updated. Its failure is ignored.
interface IStreamPay {
    /// @notice Derived from the escrow and the clock, never stored.
    enum Status {
        UNKNOWN, // the id was never used
        ACTIVE, // accruing
        ENDED, // past its end, money still to be collected
        CLOSED // everything was paid or credited
    }

    /// @notice A stream, as readers get it.
    /// @param payer Who deposited and gets the refund.
    /// @param payee Whom the money becomes.
    /// @param asset ERC-20 of the deposit; zero = native coin.
    /// @param ratePerSecond Raw units of `asset` that become the payee's each second; never changes.
    /// @param start When the stream began.
    /// @param end When the deposit is used up; moves with top-ups.
    /// @param lastPaid Up to when the payee was paid or credited.
    /// @param providerId The registry's provider, 0 = none.
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

    /// @notice What {batchUpdateStreams} would do for one id in this block; all zero = it would skip the id.
    /// @param accrued What becomes due, the keeper's part included.
    /// @param reward The keeper's part, in the stream's asset.
    /// @param completes Whether the stream would reach its end and be gone.
    struct UpdatePreview {
        uint256 accrued;
        uint256 reward;
        bool completes;
    }

    /// @notice A stream began.
    /// @param id The new stream.
    /// @param payer Who deposited.
    /// @param payee Whom the money becomes.
    /// @param asset ERC-20 of the deposit; zero = native coin.
    /// @param ratePerSecond Raw units per second; the deposit is `ratePerSecond * (end - start)`.
    /// @param start This block's time.
    /// @param end When the deposit is used up.
    /// @param providerId The registry's provider, 0 = none.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding; 0 after a redirect without provider.
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

    /// @notice A stream got more time.
    /// @param id The stream.
    /// @param by Who paid for it.
    /// @param amount What was added to the deposit.
    /// @param end The new end.
    event StreamToppedUp(uint256 indexed id, address indexed by, uint256 amount, uint256 end);

    /// @notice The payee took what had accrued.
    /// @param id The stream.
    /// @param payee Who was paid.
    /// @param amount How much.
    event StreamWithdrawn(uint256 indexed id, address indexed payee, uint256 amount);

    /// @notice One of the parties ended a stream.
    /// @param id The stream, now closed.
    /// @param by The party.
    /// @param paid What the payee got by this call.
    /// @param refunded What the payer got by this call.
    event StreamCancelled(uint256 indexed id, address indexed by, uint256 paid, uint256 refunded);

    /// @notice The payer ended a stream with the seller's signature.
    /// @param id The stream, now closed.
    /// @param paid What the payee got by this call.
    /// @param refunded What the payer got by this call.
    event StreamSettled(uint256 indexed id, uint256 paid, uint256 refunded);

    /// @notice The payer moved the rest of a stream to another payee.
    /// @param id The stream, now closed.
    /// @param newId The stream that took over; its {StreamCreated} comes first.
    /// @param paid What the old payee got by this call.
    /// @param moved The deposit of the new stream.
    /// @param refunded What the payer got back because it did not fill a second, or a year.
    event StreamRedirected(uint256 indexed id, uint256 indexed newId, uint256 paid, uint256 moved, uint256 refunded);

    /// @notice A keeper credited a payee.
    /// @param id The stream.
    /// @param accrued What became due, `reward` included.
    /// @param reward The keeper's part.
    /// @param completed The stream reached its end and is gone.
    event StreamUpdated(uint256 indexed id, uint256 accrued, uint256 reward, bool completed);

    /// @notice Money was set aside for somebody.
    /// @dev In a batch, one event for neighbouring streams of the same payee, asset and provider.
    /// @param account Whose it is.
    /// @param asset ERC-20; zero = native coin.
    /// @param amount How much was added.
    event CreditAdded(address indexed account, address indexed asset, uint256 amount);

    /// @notice Somebody collected a credit.
    /// @param account Whose it was.
    /// @param asset ERC-20; zero = native coin.
    /// @param to Where it went.
    /// @param amount All of it.
    event CreditWithdrawn(address indexed account, address indexed asset, address to, uint256 amount);

    /// @dev Thrown when stream `id` never existed or is closed.
    error StreamPay_UnknownStream(uint256 id);
    /// @dev Thrown when the recipient of a stream or of a credit is the zero address.
    error StreamPay_ZeroRecipient();
    /// @dev Thrown when a stream would last `duration` seconds, which is not in 1..`max`.
    error StreamPay_DurationOutOfRange(uint256 duration, uint256 max);
    /// @dev Thrown when `amount` does not pay for one raw unit a second, or for one second: `minimum` would.
    error StreamPay_DepositTooSmall(uint256 amount, uint256 minimum);
    /// @dev Thrown when a deposit makes a rate above `max`.
    error StreamPay_RateOutOfRange(uint256 ratePerSecond, uint256 max);
    /// @dev Thrown when the service type is above 3.
    error StreamPay_UnknownServiceType(uint256 serviceType);
    /// @dev Thrown when the provider takes no new streams.
    error StreamPay_ProviderInactive(uint256 providerId);
    /// @dev Thrown when `recipient` is not the provider's `owner`.
    error StreamPay_RecipientNotProvider(address recipient, address owner);
    /// @dev Thrown when the deposit makes a rate below the provider's price.
    error StreamPay_RateBelowPrice(uint256 ratePerSecond, uint256 pricePerSecond);
    /// @dev Thrown when a redirect would cost more per second than the payer allowed.
    error StreamPay_PriceAboveMax(uint256 pricePerSecond, uint256 maxPricePerSecond);
    /// @dev Thrown when the provider's price is in another asset.
    error StreamPay_AssetMismatch(address asset, address expected);
    /// @dev Thrown when an asset has no code.
    error StreamPay_AssetNotContract(address asset);
    /// @dev Thrown when the provider serves something else.
    error StreamPay_ServiceTypeMismatch(uint8 serviceType, uint8 expected);
    /// @dev Thrown when native coin is sent to top up an ERC-20 stream.
    error StreamPay_UnexpectedValue(uint256 value);
    /// @dev Thrown when tokens are offered to top up a stream in the native coin.
    error StreamPay_NativeStream(uint256 id);
    /// @dev Thrown when a token delivered less than it was asked for.
    error StreamPay_DeliveredLess(uint256 delivered, uint256 asked);
    /// @dev Thrown when `caller` is not the payer of stream `id`.
    error StreamPay_NotPayer(uint256 id, address caller, address payer);
    /// @dev Thrown when `caller` is not the payee of stream `id`.
    error StreamPay_NotPayee(uint256 id, address caller, address payee);
    /// @dev Thrown when `caller` is neither payer nor payee of stream `id`.
    error StreamPay_NotParty(uint256 id, address caller);
    /// @dev Thrown when stream `id` is between `payer` and `recipient`, not between those the caller named.
    error StreamPay_PartiesMismatch(uint256 id, address payer, address recipient);
    /// @dev Thrown when a stream that is past its `end` is topped up.
    error StreamPay_StreamEnded(uint256 id, uint256 end);
    /// @dev Thrown when nothing accrued since the payee was last paid.
    error StreamPay_NothingToWithdraw(uint256 id);
    /// @dev Thrown when `account` has no credit in `asset`.
    error StreamPay_NothingCredited(address account, address asset);
    /// @dev Thrown when neither the payee nor the provider's signer signed this settlement.
    error StreamPay_BadSettlementSignature(uint256 id, uint256 owed);
    /// @dev Thrown when a batch has more than `max` ids.
    error StreamPay_TooManyIds(uint256 count, uint256 max);
    /// @dev Thrown when a credit cannot be sent to `to`; name another address.
    error StreamPay_TransferFailed(address to, uint256 amount);
    /// @dev Thrown when native coin is sent without calling a function.
    error StreamPay_DirectTransfer();

    // A stream begins

    /// @notice Opens a stream of the sent native coin to `recipient`, beginning now.
    /// @dev Emits {StreamCreated}. The rate is value / duration; what does not divide goes back to the caller.
    ///
    /// Notes:
    /// - Take the id from the event or the return value, never from {getProtocolStats}.
    /// - Without a provider id neither price nor service is checked: the recipient may be anyone, the caller included.
    ///
    /// Requirements:
    /// - `recipient` is not zero;
    /// - 1 <= `duration` <= 365 days, and the end lies before 2106-02-07;
    /// - the rate is in 1..2^64 - 1;
    /// - without `providerId`, `serviceType` is at most 3;
    /// - with it, the provider is active, owned by `recipient`, priced in the native coin at no more than the rate, and
    ///   serves `serviceType`.
    /// @param recipient Whom the money becomes.
    /// @param duration Seconds.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param providerId The registry's provider, 0 = none.
    /// @return id The new stream.
    function createStream(address recipient, uint256 duration, uint8 serviceType, uint256 providerId)
        external
        payable
        returns (uint256 id);

    /// @notice The same in an ERC-20, from the caller's allowance.
    /// @dev Emits {StreamCreated}. Takes no more than rate * duration, so nothing has to go back.
    ///
    /// Requirements, beside those above:
    /// - `asset` has code and delivers what it is asked for.
    /// @param asset The ERC-20.
    /// @param amount The most to deposit.
    /// @param recipient Whom the money becomes.
    /// @param duration Seconds.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param providerId The registry's provider, 0 = none.
    /// @return id The new stream.
    function createStream(
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId
    ) external returns (uint256 id);

    /// @notice The same with the caller's EIP-2612 permit instead of an earlier approval.
    /// @dev A permit that fails is ignored, because somebody may have sent it first; the allowance decides.
    /// @param asset The ERC-20.
    /// @param amount The most to deposit, and the amount of the permit.
    /// @param recipient Whom the money becomes.
    /// @param duration Seconds.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param providerId The registry's provider, 0 = none.
    /// @param deadline Of the permit.
    /// @param v Of the permit's signature.
    /// @param r Of the permit's signature.
    /// @param s Of the permit's signature.
    /// @return id The new stream.
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
    /// @dev Emits {StreamCreated}. The payer signs `ReceiveWithAuthorization(from: payer, to: this contract, value:
    /// amount, validAfter, validBefore, nonce)` for the token, where the nonce must be {authorizationNonce} of the same
    /// terms, so whoever sends it can change none. A signature of 65 bytes is passed on as v, r, s, any other whole (for
    /// wallets that are contracts). What does not divide is paid back to the payer.
    /// @param payer Who signed; the payer of the stream.
    /// @param asset The ERC-20.
    /// @param amount What was authorized, all of it.
    /// @param recipient Whom the money becomes.
    /// @param duration Seconds.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param providerId The registry's provider, 0 = none.
    /// @param validAfter Of the authorization.
    /// @param validBefore Of the authorization.
    /// @param salt Makes the nonce unique.
    /// @param signature The payer's.
    /// @return id The new stream.
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

    /// @notice The nonce that binds an EIP-3009 authorization to the terms of a stream.
    /// @dev keccak256(abi.encode(payer, recipient, duration, serviceType, providerId, salt)).
    /// @param payer Who signs.
    /// @param recipient Whom the money becomes.
    /// @param duration Seconds.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param providerId The registry's provider, 0 = none.
    /// @param salt Makes the nonce unique.
    /// @return nonce For the authorization.
    function authorizationNonce(
        address payer,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId,
        bytes32 salt
    ) external pure returns (bytes32 nonce);

    // A stream goes on

    /// @notice Moves the end of a native stream by as many seconds as the sent coin pays for.
    /// @dev Emits {StreamToppedUp}. What does not pay for a whole second goes back to the caller. Anyone may top up; the
    /// added deposit is the payer's, as if the payer had sent it.
    ///
    /// Requirements:
    /// - the stream is in the native coin, between exactly these parties, and not past its end;
    /// - at least one second is added, and the stream does not last longer than 365 days from now.
    /// @param id The stream.
    /// @param payer Its payer, so that a re-organised id cannot catch the money.
    /// @param recipient Its payee.
    function topUpStream(uint256 id, address payer, address recipient) external payable;

    /// @notice The same for an ERC-20 stream, from the caller's allowance; takes whole seconds only.
    /// @param id The stream.
    /// @param payer Its payer.
    /// @param recipient Its payee.
    /// @param amount The most to add.
    function topUpStream(uint256 id, address payer, address recipient, uint256 amount) external;

    /// @notice Pays the payee everything that accrued; also after the end, when it closes the stream.
    /// @dev Emits {StreamWithdrawn}. Pushed; credited if the push fails.
    ///
    /// Requirements:
    /// - the caller is the payee;
    /// - something accrued.
    /// @param id The stream.
    function withdrawFromStream(uint256 id) external;

    // A stream ends

    /// @notice Ends a stream now: what accrued is the payee's, the rest the payer's.
    /// @dev Emits {StreamCancelled}. Works in one transaction whatever the other party or the token does (P2).
    ///
    /// Requirements:
    /// - the caller is payer or payee.
    /// @param id The stream.
    function cancelStream(uint256 id) external;

    /// @notice Ends a stream paying `owed` in total since its start, as signed by the payee or the provider's signer.
    /// @dev Emits {StreamSettled}. `owed` is held between what was already paid and what the clock says, so nobody can
    /// block or inflate it: a keeper's update or a withdrawal just before only makes the already paid part final.
    ///
    /// Requirements:
    /// - the caller is the payer;
    /// - the signature is of {settlementDigest}, by the payee or by the current signer of the stream's provider, by key
    ///   or by ERC-1271.
    /// @param id The stream.
    /// @param owed Raw units in total since the start.
    /// @param signature Of the seller.
    function settleStream(uint256 id, uint256 owed, bytes calldata signature) external;

    /// @notice Failover in one transaction: ends a stream now and opens one to `recipient` with what is left, at the
    /// provider's price, which must not be above the old rate. Without a provider id the old rate is kept.
    /// @dev Emits {StreamCreated} and {StreamRedirected}. What does not pay for a whole second, or for more than 365
    /// days, goes back to the payer.
    ///
    /// Requirements:
    /// - the caller is the payer and `recipient` is not zero;
    /// - with a `providerId`, the provider is active, owned by `recipient` and priced in the stream's asset;
    /// - at least one second is left at the new rate.
    /// @param id The stream.
    /// @param recipient Whom the money becomes from now on.
    /// @param providerId The registry's provider, 0 = none.
    /// @return newId The stream that took over.
    function redirectStream(uint256 id, address recipient, uint256 providerId) external returns (uint256 newId);

    /// @notice The same to a provider that may be dearer, up to `maxPricePerSecond`. The limit is the payer's protection
    /// against a price that is raised just before the redirect lands.
    /// @param id The stream.
    /// @param recipient Whom the money becomes from now on.
    /// @param providerId The registry's provider, 0 = none.
    /// @param maxPricePerSecond The most the new stream may cost a second.
    /// @return newId The stream that took over.
    function redirectStream(uint256 id, address recipient, uint256 providerId, uint256 maxPricePerSecond)
        external
        returns (uint256 newId);

    // Keepers

    /// @notice Credits each payee what accrued, less 10 basis points (rounded down) for the caller; a stream past its end
    /// is completed and gone.
    /// @dev Emits {StreamUpdated} for each stream that had something to update. Skips unknown, closed, duplicate and
    /// empty ids; no id can make it fail (P15). The caller is paid once per asset, by push, else by credit.
    ///
    /// Notes:
    /// - Neighbours of the same payee, asset and provider are credited and recorded together: sort ids by payee.
    /// - Every distinct token adds at most 200,000 gas for the push, whatever the token does.
    ///
    /// Requirements:
    /// - at most 500 ids.
    /// @param ids The streams.
    function batchUpdateStreams(uint256[] calldata ids) external;

    /// @notice What {batchUpdateStreams} would do in this block, so that a keeper needs one read.
    /// @param ids The streams, at most 500.
    /// @return previews One for each id; a duplicate is empty, as it would be skipped.
    /// @return nativeReward The sum of the rewards in the native coin.
    function previewBatchUpdate(uint256[] calldata ids)
        external
        view
        returns (UpdatePreview[] memory previews, uint256 nativeReward);

    // Credits

    /// @notice Sends the caller's whole credit in an asset to any address.
    /// @dev Emits {CreditWithdrawn}.
    ///
    /// Requirements:
    /// - there is a credit and `to` is not zero;
    /// - the transfer succeeds.
    /// @param asset ERC-20; zero = native coin.
    /// @param to Where to send it.
    function withdrawCredit(address asset, address to) external;

    /// @notice What an account can collect.
    /// @param account Whose.
    /// @param asset ERC-20; zero = native coin.
    /// @return amount Raw units.
    function creditOf(address account, address asset) external view returns (uint256 amount);

    // Views

    /// @notice A stream's terms and state; all zero when the id is unknown or the stream is closed.
    /// @param id The stream.
    /// @return stream The stream.
    function getStream(uint256 id) external view returns (Stream memory stream);

    /// @notice What accrued and was not yet paid or credited; 0 when the id is unknown or the stream is closed.
    /// @param id The stream.
    /// @return accrued Raw units of its asset.
    function getCurrentBalance(uint256 id) external view returns (uint256 accrued);

    /// @notice Where a stream is in its life.
    /// @param id The stream.
    /// @return status Derived from the escrow and the clock.
    function statusOf(uint256 id) external view returns (Status status);

    /// @notice How many streams were ever opened.
    /// @return streamsCreated Also the newest id; never use it to find one's own stream.
    function getProtocolStats() external view returns (uint256 streamsCreated);

    /// @notice The EIP-712 digest that a seller signs to settle a stream.
    /// @dev `Settlement(uint256 streamId,uint256 owed)` in the domain ("ClawCompute StreamPay", "1", chain, this contract).
    /// @param id The stream.
    /// @param owed Raw units in total since its start.
    /// @return digest What is signed.
    function settlementDigest(uint256 id, uint256 owed) external view returns (bytes32 digest);

    /// @notice Where offers are read and completions recorded, fixed at deployment.
    /// @return The registry.
    function registry() external view returns (IComputeRegistry);

    /// @notice The longest a stream may last from now, in seconds.
    /// @return 365 days.
    function MAX_DURATION() external view returns (uint256);

    /// @notice The most ids in a batch.
    /// @return 500.
    function MAX_BATCH() external view returns (uint256);

    /// @notice A keeper's part of what its update accrued.
    /// @return 10, of 10,000.
    function KEEPER_BASIS_POINTS() external view returns (uint256);
}
