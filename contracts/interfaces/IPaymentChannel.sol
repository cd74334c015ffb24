// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IComputeRegistry} from "./IComputeRegistry.sol";

/// @title IPaymentChannel
/// @notice A deposit that moves by signed vouchers: the payer signs what it owes so far, the payee cashes the last one.
/// @dev The escrow of the Payment HTTP scheme's `evm` method, `session` intent: every function without a "beyond the
/// draft" note, every typed structure and every nonce is that draft's, so any client that speaks it can pay here.
///
/// Typed data: domain {name "EVM Payment Channel", version "1", chainId, verifyingContract = this contract};
/// `Voucher(bytes32 channelId,uint128 cumulativeAmount)`.
///
/// Amounts are raw units of `token`. Beyond the draft, `token` zero is the native coin: `open` and `topUp` are payable,
/// and the value sent must equal the amount named. No typed structure differs for it.
///
/// Who gets paid: every exit pushes each share to its owner. A share that its owner or its token refuses is credited
/// instead and collected with `withdrawCredit`, so neither party can block the other.
///
/// A channel id is used once: what is closed stays recorded, and the same terms need a new salt.
interface IPaymentChannel {
    enum Status {
        UNKNOWN, // the id was never opened
        OPEN, // vouchers can be settled
        CLOSING, // the payer asked to close; vouchers can be settled until it withdraws
        CLOSED // everything was paid out or credited; final
    }

    /// @param payer Deposited the money and gets back what is not settled.
    /// @param payee The only account that may settle and close.
    /// @param token ERC-20; zero = native coin.
    /// @param authorizedSigner Key that signs vouchers; zero = the payer itself.
    /// @param deposit Everything ever deposited.
    /// @param settled Part of `deposit` already paid to the payee.
    /// @param closeRequestedAt Unix seconds of the payer's pending (or last) close request; zero = none.
    /// @param finalized The channel is closed, for ever.
    struct Channel {
        address payer;
        address payee;
        address token;
        address authorizedSigner;
        uint128 deposit;
        uint128 settled;
        uint64 closeRequestedAt;
        bool finalized;
    }

    /// @notice What a channel id is the hash of, besides this contract and the chain.
    struct Terms {
        address payer;
        address payee;
        address token;
        bytes32 salt;
        address authorizedSigner;
    }

    event ChannelOpened(
        bytes32 indexed channelId,
        address indexed payer,
        address indexed payee,
        address token,
        address authorizedSigner,
        bytes32 salt,
        uint256 deposit
    );
    /// @dev `deposit` is the total after `by` added `amount`.
    event ChannelToppedUp(bytes32 indexed channelId, address indexed by, uint256 amount, uint256 deposit);
    /// @dev `paid` is what this call moved, `settled` the total so far.
    event ChannelSettled(bytes32 indexed channelId, uint256 paid, uint256 settled);
    event CloseRequested(bytes32 indexed channelId, uint256 withdrawableAt);
    event CloseRequestCancelled(bytes32 indexed channelId);
    /// @dev `paid` is what this call gave the payee, `settled` the payee's total, `refunded` the payer's.
    event ChannelClosed(bytes32 indexed channelId, uint256 paid, uint256 settled, uint256 refunded);
    event CreditAdded(address indexed account, address indexed asset, uint256 amount);
    event CreditWithdrawn(address indexed account, address indexed asset, address to, uint256 amount);

    /// @dev Thrown when the terms name a channel that exists, closed ones included.
    error PaymentChannel_ChannelAlreadyExists(bytes32 channelId);
    /// @dev Thrown when no channel has this id.
    error PaymentChannel_ChannelNotFound(bytes32 channelId);
    /// @dev Thrown when the channel is closed.
    error PaymentChannel_ChannelFinalized(bytes32 channelId);
    /// @dev Thrown when `caller` is not the channel's payee.
    error PaymentChannel_NotPayee(bytes32 channelId, address caller, address payee);
    /// @dev Thrown when `caller` is not the channel's payer.
    error PaymentChannel_NotPayer(bytes32 channelId, address caller, address payer);
    /// @dev Thrown when a channel is opened to the zero address.
    error PaymentChannel_ZeroPayee();
    /// @dev Thrown when nothing would be deposited.
    error PaymentChannel_ZeroDeposit();
    /// @dev Thrown when a channel's deposit would become `deposit`, above `max`.
    error PaymentChannel_DepositOverflow(uint256 deposit, uint256 max);
    /// @dev Thrown when the value sent differs from `expected` (zero for an ERC-20 channel).
    error PaymentChannel_ValueMismatch(uint256 value, uint256 expected);
    /// @dev Thrown when a token delivered less than it was asked for.
    error PaymentChannel_DeliveredLess(uint256 delivered, uint256 asked);
    /// @dev Thrown when a token authorization is used for a native-coin channel.
    error PaymentChannel_NativeCoin();
    /// @dev Thrown when an EIP-3009 nonce is not the one derived from the channel's terms.
    error PaymentChannel_NonceMismatch(bytes32 nonce, bytes32 expected);
    /// @dev Thrown when a voucher is not above what is settled.
    error PaymentChannel_AmountNotIncreasing(bytes32 channelId, uint256 cumulativeAmount, uint256 settled);
    /// @dev Thrown when a voucher is above the deposit.
    error PaymentChannel_AmountExceedsDeposit(bytes32 channelId, uint256 cumulativeAmount, uint256 deposit);
    /// @dev Thrown when `digest` is not signed by `signer`: wrong key, wrong length, high s, or refused by its wallet.
    error PaymentChannel_InvalidSignature(address signer, bytes32 digest);
    /// @dev Thrown when a payee's authorization nonce was used for this channel.
    error PaymentChannel_NonceAlreadyUsed(bytes32 channelId, uint256 nonce);
    /// @dev Thrown when a payee's authorization is past its deadline.
    error PaymentChannel_AuthorizationExpired(uint256 deadline, uint256 timestamp);
    /// @dev Thrown when no close was requested (`withdrawableAt` zero), or the grace period runs until `withdrawableAt`.
    error PaymentChannel_CloseNotReady(bytes32 channelId, uint256 withdrawableAt);
    /// @dev Thrown when provider `providerId` is not `payee`'s or is not priced in `token`.
    error PaymentChannel_ProviderMismatch(uint256 providerId, address payee, address token);
    /// @dev Thrown when too little gas is left to give a payment its full allowance.
    error PaymentChannel_GasTooLow(uint256 left, uint256 required);
    /// @dev Thrown when there is no credit to collect.
    error PaymentChannel_NothingCredited(address account, address asset);
    /// @dev Thrown when a credit cannot be paid to `to`.
    error PaymentChannel_TransferFailed(address to, uint256 amount);
    /// @dev Thrown when the contract has no room for a further (payee, token) or (payer, signer) pair.
    error PaymentChannel_TooManyParties();

    /// @notice Opens a channel with the caller's money; the caller is the payer.
    /// @dev Emits {ChannelOpened}.
    ///
    /// Notes:
    /// - An ERC-20 needs an allowance to this contract of at least `deposit`.
    ///
    /// Requirements:
    /// - `payee` is not zero; 0 < `deposit` <= `MAX_DEPOSIT`.
    /// - No channel with these terms was ever opened.
    /// - Native coin: the value sent equals `deposit`. ERC-20: no value, and the token delivers `deposit` in full.
    ///
    /// @param payee Account that may settle.
    /// @param token ERC-20; zero = native coin.
    /// @param deposit Raw units of `token`.
    /// @param salt Distinguishes channels of the same terms.
    /// @param authorizedSigner Key that will sign vouchers; zero = the caller.
    /// @return channelId Hash of the terms, as `computeChannelId`.
    function open(address payee, address token, uint128 deposit, bytes32 salt, address authorizedSigner)
        external
        payable
        returns (bytes32 channelId);

    /// @notice Opens a channel with `from`'s EIP-3009 authorization, sent by anyone: the payer needs no gas.
    /// @dev Emits {ChannelOpened}. As `open`, with `from` as payer.
    ///
    /// Requirements:
    /// - `nonce` equals `openNonce(from, payee, token, salt, authorizedSigner)`, so a relayer can change no term.
    /// - `token` has `receiveWithAuthorization` with the packed `bytes signature`.
    function openWithAuthorization(
        address payee,
        address token,
        uint128 deposit,
        bytes32 salt,
        address authorizedSigner,
        address from,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external returns (bytes32 channelId);

    /// @notice Opens a channel with `from`'s Permit2 signature, sent by anyone: the payer needs no gas.
    /// @dev Emits {ChannelOpened}. As `open`, with `from` as payer. The signed witness is
    /// `ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)`.
    function openWithPermit2(
        address payee,
        address token,
        uint128 deposit,
        bytes32 salt,
        address authorizedSigner,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 channelId);

    /// @notice Adds the payer's money and withdraws its pending close request.
    /// @dev Emits {ChannelToppedUp} and, when a request was pending, {CloseRequestCancelled}.
    ///
    /// Requirements:
    /// - The caller is the payer; the channel is not closed; 0 < `additionalDeposit`, total <= `MAX_DEPOSIT`.
    /// - Native coin: the value sent equals `additionalDeposit`. ERC-20: no value, an allowance, delivered in full.
    function topUp(bytes32 channelId, uint128 additionalDeposit) external payable;

    /// @notice Adds `from`'s money by its EIP-3009 authorization, sent by anyone.
    /// @dev Emits {ChannelToppedUp} and, when `from` is the payer and a request was pending, {CloseRequestCancelled}.
    ///
    /// Notes:
    /// - `from` may be a stranger: its money becomes the payer's. A stranger's top-up leaves a close request standing,
    ///   or anyone could hold the payer's money for ever.
    ///
    /// Requirements:
    /// - `nonce` equals `topUpNonce(channelId, additionalDeposit, from, topUpSalt)`.
    function topUpWithAuthorization(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        bytes32 topUpSalt,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Adds `from`'s money by its Permit2 signature, sent by anyone; as `topUpWithAuthorization`.
    /// @dev The signed witness is `ChannelTopUpWitness(bytes32 channelId)`.
    function topUpWithPermit2(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Pays the payee what a voucher adds to what is settled; the channel stays open.
    /// @dev Emits {ChannelSettled}, and {CreditAdded} when the payment was refused.
    ///
    /// Requirements:
    /// - The caller is the payee; the channel is not closed.
    /// - settled < `cumulativeAmount` <= deposit, signed by the authorized signer (low s, or ERC-1271).
    function settle(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice `settle` of the channel with these terms, recorded as a completion of the payee's provider; beyond the
    /// draft, signing nothing new.
    /// @dev Terms in calldata are proven by the id they hash to and cost less than reading the stored ones.
    /// A registry that fails leaves the payment untouched. `providerId` zero records nothing.
    ///
    /// Requirements:
    /// - As `settle`; the provider's owner is the payee and its prices are in the channel's token.
    function settle(Terms calldata terms, uint128 cumulativeAmount, bytes calldata signature, uint256 providerId)
        external;

    /// @notice `settle` authorized by the payee's signature, sent by anyone: the payee needs no gas.
    /// @dev The payee signs `SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)`.
    ///
    /// Requirements:
    /// - `deadline` is not past; `nonce` is unused for this channel, by settlements and closes alike.
    function settleWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata payeeSignature,
        bytes calldata voucherSignature
    ) external;

    /// @notice Pays the payee what a last voucher adds, refunds the rest to the payer and closes for ever.
    /// @dev Emits {ChannelClosed}, and {CreditAdded} for each share that was refused.
    ///
    /// Notes:
    /// - With `cumulativeAmount` <= settled nothing more is paid and the signature is not looked at.
    ///
    /// Requirements:
    /// - The caller is the payee; the channel is not closed.
    /// - `cumulativeAmount` <= settled, or a voucher as in `settle`.
    function close(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice `close` of the channel with these terms, recorded as a completion of the payee's provider; beyond the
    /// draft, signing nothing new.
    /// @dev As `settle` with terms.
    function close(Terms calldata terms, uint128 cumulativeAmount, bytes calldata signature, uint256 providerId)
        external;

    /// @notice `close` authorized by the payee's signature, sent by anyone: the payee needs no gas.
    /// @dev The payee signs `CloseAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)`.
    /// Requirements as `settleWithAuthorization`.
    function closeWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata payeeSignature,
        bytes calldata voucherSignature
    ) external;

    /// @notice Starts the grace period after which the payer may withdraw; the payee can settle meanwhile.
    /// @dev Emits {CloseRequested}. Asking again changes nothing: the first request counts.
    ///
    /// Requirements:
    /// - The caller is the payer; the channel is not closed.
    function requestClose(bytes32 channelId) external;

    /// @notice Refunds the payer everything not settled and closes for ever.
    /// @dev Emits {ChannelClosed}, and {CreditAdded} when the refund was refused.
    ///
    /// Requirements:
    /// - The caller is the payer; the channel is not closed.
    /// - A close was requested at least `CLOSE_GRACE_PERIOD` ago.
    function withdraw(bytes32 channelId) external;

    /// @notice Pays the caller's credit in `asset` to any address.
    /// @dev Emits {CreditWithdrawn}. Reverts when `to` or the token refuses: the credit stays.
    function withdrawCredit(address asset, address to) external;

    /// @notice Seconds between a close request and the payer's withdrawal.
    function CLOSE_GRACE_PERIOD() external view returns (uint256);

    /// @notice Largest deposit of one channel, raw units.
    function MAX_DEPOSIT() external view returns (uint256);

    /// @notice Where completions of providers are recorded.
    function registry() external view returns (IComputeRegistry);

    /// @notice The Permit2 deployment whose signatures are accepted.
    function PERMIT2() external view returns (address);

    /// @notice The channel's terms and state; all zero when unknown.
    function getChannel(bytes32 channelId) external view returns (Channel memory channel);

    function statusOf(bytes32 channelId) external view returns (Status status);

    function creditOf(address account, address asset) external view returns (uint256 amount);

    /// @notice Whether a payee's authorization nonce was used for this channel.
    function isNonceUsed(bytes32 channelId, uint256 nonce) external view returns (bool used);

    /// @notice keccak256(abi.encode(payer, payee, token, salt, authorizedSigner, this contract, chain id)).
    function computeChannelId(address payer, address payee, address token, bytes32 salt, address authorizedSigner)
        external
        view
        returns (bytes32 channelId);

    /// @notice What the authorized signer signs.
    function voucherDigest(bytes32 channelId, uint128 cumulativeAmount) external view returns (bytes32 digest);

    /// @notice What the payee signs for `settleWithAuthorization`.
    function settleDigest(bytes32 channelId, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32 digest);

    /// @notice What the payee signs for `closeWithAuthorization`.
    function closeDigest(bytes32 channelId, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32 digest);

    /// @notice The EIP-3009 nonce of `openWithAuthorization`.
    function openNonce(address from, address payee, address token, bytes32 salt, address authorizedSigner)
        external
        pure
        returns (bytes32 nonce);

    /// @notice The EIP-3009 nonce of `topUpWithAuthorization`.
    function topUpNonce(bytes32 channelId, uint128 additionalDeposit, address from, bytes32 topUpSalt)
        external
        pure
        returns (bytes32 nonce);
}
