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

    /// @notice A channel was opened.
    /// @param channelId The channel.
    /// @param payer Who deposited.
    /// @param payee Who may settle and close.
    /// @param token ERC-20; zero = native coin.
    /// @param authorizedSigner Key that signs vouchers; zero = the payer.
    /// @param salt Distinguishes channels of the same terms.
    /// @param deposit Raw units deposited.
    event ChannelOpened(
        bytes32 indexed channelId,
        address indexed payer,
        address indexed payee,
        address token,
        address authorizedSigner,
        bytes32 salt,
        uint256 deposit
    );

    /// @notice A channel got more money.
    /// @param channelId The channel.
    /// @param by Whose money it was.
    /// @param amount What was added.
    /// @param deposit Total of the channel, raw units.
    event ChannelToppedUp(bytes32 indexed channelId, address indexed by, uint256 amount, uint256 deposit);

    /// @notice The payee took what a voucher added.
    /// @param channelId The channel.
    /// @param paid What the payee got by this call.
    /// @param settled The payee's total so far.
    event ChannelSettled(bytes32 indexed channelId, uint256 paid, uint256 settled);

    /// @notice The payer wants to leave.
    /// @param channelId The channel.
    /// @param withdrawableAt Unix seconds from which the payer may withdraw.
    event CloseRequested(bytes32 indexed channelId, uint256 withdrawableAt);

    /// @notice The payer stays after all.
    /// @param channelId The channel.
    event CloseRequestCancelled(bytes32 indexed channelId);

    /// @notice A channel ended, for ever.
    /// @param channelId The channel.
    /// @param paid What the payee got by this call.
    /// @param settled The payee's total so far.
    /// @param refunded What the payer got.
    event ChannelClosed(bytes32 indexed channelId, uint256 paid, uint256 settled, uint256 refunded);

    /// @notice A payment was refused and is kept for its owner.
    /// @param account Who is credited.
    /// @param asset ERC-20; zero = native coin.
    /// @param amount What was refused.
    event CreditAdded(address indexed account, address indexed asset, uint256 amount);

    /// @notice A credit was collected.
    /// @param account Whose credit it was.
    /// @param asset ERC-20; zero = native coin.
    /// @param to Where it goes.
    /// @param amount All of the credit.
    event CreditWithdrawn(address indexed account, address indexed asset, address to, uint256 amount);

    /// @notice Thrown when the terms name a channel that exists, closed ones included.
    /// @param channelId The channel.
    error PaymentChannel_ChannelAlreadyExists(bytes32 channelId);

    /// @notice Thrown when no channel has this id.
    /// @param channelId The channel.
    error PaymentChannel_ChannelNotFound(bytes32 channelId);

    /// @notice Thrown when the channel is closed.
    /// @param channelId The channel.
    error PaymentChannel_ChannelFinalized(bytes32 channelId);

    /// @notice Thrown when `caller` is not the channel's payee.
    /// @param channelId The channel.
    /// @param caller Who called.
    /// @param payee The channel's payee.
    error PaymentChannel_NotPayee(bytes32 channelId, address caller, address payee);

    /// @notice Thrown when `caller` is not the channel's payer.
    /// @param channelId The channel.
    /// @param caller Who called.
    /// @param payer The channel's payer.
    error PaymentChannel_NotPayer(bytes32 channelId, address caller, address payer);

    /// @notice Thrown when a channel is opened to the zero address.
    error PaymentChannel_ZeroPayee();

    /// @notice Thrown when a credit would be sent to the zero address.
    error PaymentChannel_ZeroRecipient();

    /// @notice Thrown when nothing would be deposited.
    error PaymentChannel_ZeroDeposit();

    /// @notice Thrown when a channel's deposit would become `deposit`, above `max`.
    /// @param deposit What the total would be.
    /// @param max The largest deposit.
    error PaymentChannel_DepositOverflow(uint256 deposit, uint256 max);

    /// @notice Thrown when the value sent differs from `expected` (zero for an ERC-20 channel).
    /// @param value Native coin sent.
    /// @param expected What must be sent.
    error PaymentChannel_ValueMismatch(uint256 value, uint256 expected);

    /// @notice Thrown when a token delivered less than it was asked for.
    /// @param delivered What arrived.
    /// @param asked What should have arrived.
    error PaymentChannel_DeliveredLess(uint256 delivered, uint256 asked);

    /// @notice Thrown when a token authorization is used for a native-coin channel.
    error PaymentChannel_NativeCoin();

    /// @notice Thrown when an EIP-3009 nonce is not the one derived from the channel's terms.
    /// @param nonce The nonce given.
    /// @param expected The derived one.
    error PaymentChannel_NonceMismatch(bytes32 nonce, bytes32 expected);

    /// @notice Thrown when a voucher is not above what is settled.
    /// @param channelId The channel.
    /// @param cumulativeAmount The voucher's amount.
    /// @param settled What is settled already.
    error PaymentChannel_AmountNotIncreasing(bytes32 channelId, uint256 cumulativeAmount, uint256 settled);

    /// @notice Thrown when a voucher is above the deposit.
    /// @param channelId The channel.
    /// @param cumulativeAmount The voucher's amount.
    /// @param deposit Total of the channel, raw units.
    error PaymentChannel_AmountExceedsDeposit(bytes32 channelId, uint256 cumulativeAmount, uint256 deposit);

    /// @notice Thrown when `digest` is not signed by `signer`: wrong key, wrong length, high s, or refused by its wallet.
    /// @param signer Who should have signed.
    /// @param digest What should have been signed.
    error PaymentChannel_InvalidSignature(address signer, bytes32 digest);

    /// @notice Thrown when a payee's authorization nonce was used for this channel.
    /// @param channelId The channel.
    /// @param nonce The used nonce.
    error PaymentChannel_NonceAlreadyUsed(bytes32 channelId, uint256 nonce);

    /// @notice Thrown when a payee's authorization is past its deadline.
    /// @param deadline Unix seconds.
    /// @param timestamp This block's time.
    error PaymentChannel_AuthorizationExpired(uint256 deadline, uint256 timestamp);

    /// @notice Thrown when no close was requested (`withdrawableAt` zero), or the grace period runs until `withdrawableAt`.
    /// @param channelId The channel.
    /// @param withdrawableAt When it may be called; zero = no request.
    error PaymentChannel_CloseNotReady(bytes32 channelId, uint256 withdrawableAt);

    /// @notice Thrown when provider `providerId` is not `payee`'s or is not priced in `token`.
    /// @param providerId The registry's provider.
    /// @param payee The channel's payee.
    /// @param token The channel's asset.
    error PaymentChannel_ProviderMismatch(uint256 providerId, address payee, address token);

    /// @notice Thrown when too little gas is left to give a payment its full allowance.
    /// @param left Gas left.
    /// @param required Gas that must be left.
    error PaymentChannel_GasTooLow(uint256 left, uint256 required);

    /// @notice Thrown when there is no credit to collect.
    /// @param account Who asked.
    /// @param asset ERC-20; zero = native coin.
    error PaymentChannel_NothingCredited(address account, address asset);

    /// @notice Thrown when a credit cannot be paid to `to`.
    /// @param to Who refused, or whose token did.
    /// @param amount The credit.
    error PaymentChannel_TransferFailed(address to, uint256 amount);

    /// @notice Thrown when the contract has no room for a further (payee, token) or (payer, signer) pair.
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
    /// @param payee Account that may settle.
    /// @param token ERC-20; zero = native coin.
    /// @param deposit Raw units of `token`.
    /// @param salt Distinguishes channels of the same terms.
    /// @param authorizedSigner Key that signs vouchers; zero = the payer.
    /// @param from Whose money it is.
    /// @param validAfter The authorization's start, unix seconds.
    /// @param validBefore The authorization's end, unix seconds.
    /// @param nonce As `openNonce`.
    /// @param signature `from`'s, of the token's authorization.
    /// @return channelId The channel.
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
    /// @param payee Account that may settle.
    /// @param token ERC-20; zero = native coin.
    /// @param deposit Raw units of `token`.
    /// @param salt Distinguishes channels of the same terms.
    /// @param authorizedSigner Key that signs vouchers; zero = the payer.
    /// @param from Whose money it is.
    /// @param nonce Any that `from` never used with Permit2.
    /// @param deadline Of the permit, unix seconds.
    /// @param signature `from`'s, of the permit with its witness.
    /// @return channelId The channel.
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
    /// @param channelId The channel.
    /// @param additionalDeposit Raw units to add.
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
    /// @param channelId The channel.
    /// @param additionalDeposit Raw units to add.
    /// @param from Whose money it is.
    /// @param topUpSalt Distinguishes top-ups of the same amount.
    /// @param validAfter The authorization's start, unix seconds.
    /// @param validBefore The authorization's end, unix seconds.
    /// @param nonce As `topUpNonce`.
    /// @param signature `from`'s, of the token's authorization.
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
    /// @param channelId The channel.
    /// @param additionalDeposit Raw units to add.
    /// @param from Whose money it is.
    /// @param nonce Any that `from` never used with Permit2.
    /// @param deadline Of the permit, unix seconds.
    /// @param signature `from`'s, of the permit with its witness.
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
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param signature The authorized signer's, of `voucherDigest`.
    function settle(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice `settle` of the channel with these terms, recorded as a completion of the payee's provider; beyond the
    /// draft, signing nothing new.
    /// @dev Terms in calldata are proven by the id they hash to and cost less than reading the stored ones.
    /// A registry that fails leaves the payment untouched. `providerId` zero records nothing.
    ///
    /// Requirements:
    /// - As `settle`; the provider's owner is the payee and its prices are in the channel's token.
    /// @param terms The channel's terms.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param signature The authorized signer's, of `voucherDigest`.
    /// @param providerId The registry's provider; zero = none.
    function settle(Terms calldata terms, uint128 cumulativeAmount, bytes calldata signature, uint256 providerId)
        external;

    /// @notice `settle` authorized by the payee's signature, sent by anyone: the payee needs no gas.
    /// @dev The payee signs `SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)`.
    ///
    /// Requirements:
    /// - `deadline` is not past; `nonce` is unused for this channel, by settlements and closes alike.
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param nonce The payee's, unused for this channel.
    /// @param deadline Last second of the authorization.
    /// @param payeeSignature The payee's, of the authorization.
    /// @param voucherSignature The authorized signer's, of `voucherDigest`.
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
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param signature The authorized signer's, of `voucherDigest`.
    function close(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice `close` of the channel with these terms, recorded as a completion of the payee's provider; beyond the
    /// draft, signing nothing new.
    /// @dev As `settle` with terms.
    /// @param terms The channel's terms.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param signature The authorized signer's, of `voucherDigest`.
    /// @param providerId The registry's provider; zero = none.
    function close(Terms calldata terms, uint128 cumulativeAmount, bytes calldata signature, uint256 providerId)
        external;

    /// @notice `close` authorized by the payee's signature, sent by anyone: the payee needs no gas.
    /// @dev The payee signs `CloseAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)`.
    /// Requirements as `settleWithAuthorization`.
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param nonce The payee's, unused for this channel.
    /// @param deadline Last second of the authorization.
    /// @param payeeSignature The payee's, of the authorization.
    /// @param voucherSignature The authorized signer's, of `voucherDigest`.
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
    /// @param channelId The channel.
    function requestClose(bytes32 channelId) external;

    /// @notice Refunds the payer everything not settled and closes for ever.
    /// @dev Emits {ChannelClosed}, and {CreditAdded} when the refund was refused.
    ///
    /// Requirements:
    /// - The caller is the payer; the channel is not closed.
    /// - A close was requested at least `CLOSE_GRACE_PERIOD` ago.
    /// @param channelId The channel.
    function withdraw(bytes32 channelId) external;

    /// @notice Pays the caller's credit in `asset` to any address.
    /// @dev Emits {CreditWithdrawn}. Reverts when `to` or the token refuses: the credit stays.
    /// @param asset ERC-20; zero = native coin.
    /// @param to Where it goes.
    function withdrawCredit(address asset, address to) external;

    /// @notice Seconds between a close request and the payer's withdrawal.
    /// @return 900.
    function CLOSE_GRACE_PERIOD() external view returns (uint256);

    /// @notice Largest deposit of one channel, raw units.
    /// @return 2^88 - 1.
    function MAX_DEPOSIT() external view returns (uint256);

    /// @notice Where completions of providers are recorded.
    /// @return Fixed at deployment.
    function registry() external view returns (IComputeRegistry);

    /// @notice The Permit2 deployment whose signatures are accepted.
    /// @return The canonical address.
    function PERMIT2() external view returns (address);

    /// @notice The channel's terms and state; all zero when unknown.
    /// @param channelId The channel.
    /// @return channel As described at the struct.
    function getChannel(bytes32 channelId) external view returns (Channel memory channel);

    /// @notice Where a channel stands.
    /// @param channelId The channel.
    /// @return status Derived at this block.
    function statusOf(bytes32 channelId) external view returns (Status status);

    /// @notice What an account may collect in an asset.
    /// @param account Whose credit.
    /// @param asset ERC-20; zero = native coin.
    /// @return amount What `withdrawCredit` would pay.
    function creditOf(address account, address asset) external view returns (uint256 amount);

    /// @notice Whether a payee's authorization nonce was used for this channel.
    /// @param channelId The channel.
    /// @param nonce The payee's.
    /// @return used Whether it was.
    function isNonceUsed(bytes32 channelId, uint256 nonce) external view returns (bool used);

    /// @notice keccak256(abi.encode(payer, payee, token, salt, authorizedSigner, this contract, chain id)).
    /// @param payer Who deposited.
    /// @param payee Who may settle and close.
    /// @param token ERC-20; zero = native coin.
    /// @param salt Distinguishes channels of the same terms.
    /// @param authorizedSigner Key that signs vouchers; zero = the payer.
    /// @return channelId The hash.
    function computeChannelId(address payer, address payee, address token, bytes32 salt, address authorizedSigner)
        external
        view
        returns (bytes32 channelId);

    /// @notice What the authorized signer signs.
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @return digest EIP-712.
    function voucherDigest(bytes32 channelId, uint128 cumulativeAmount) external view returns (bytes32 digest);

    /// @notice What the payee signs for `settleWithAuthorization`.
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param nonce The payee's.
    /// @param deadline Last second of the authorization.
    /// @return digest EIP-712.
    function settleDigest(bytes32 channelId, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32 digest);

    /// @notice What the payee signs for `closeWithAuthorization`.
    /// @param channelId The channel.
    /// @param cumulativeAmount Everything the payee has earned so far, raw units.
    /// @param nonce The payee's.
    /// @param deadline Last second of the authorization.
    /// @return digest EIP-712.
    function closeDigest(bytes32 channelId, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32 digest);

    /// @notice The EIP-3009 nonce of `openWithAuthorization`.
    /// @param from Whose money it is.
    /// @param payee Who may settle and close.
    /// @param token ERC-20; zero = native coin.
    /// @param salt Distinguishes channels of the same terms.
    /// @param authorizedSigner Key that signs vouchers; zero = the payer.
    /// @return nonce keccak256(abi.encode(from, payee, token, salt, authorizedSigner)).
    function openNonce(address from, address payee, address token, bytes32 salt, address authorizedSigner)
        external
        pure
        returns (bytes32 nonce);

    /// @notice The EIP-3009 nonce of `topUpWithAuthorization`.
    /// @param channelId The channel.
    /// @param additionalDeposit Raw units to add.
    /// @param from Whose money it is.
    /// @param topUpSalt Distinguishes top-ups of the same amount.
    /// @return nonce keccak256(abi.encode(channelId, additionalDeposit, from, topUpSalt)).
    function topUpNonce(bytes32 channelId, uint128 additionalDeposit, address from, bytes32 topUpSalt)
        external
        pure
        returns (bytes32 nonce);
}
