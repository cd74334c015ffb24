// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IComputeRegistry} from "./interfaces/IComputeRegistry.sol";
import {IERC3009} from "./interfaces/IERC3009.sol";
import {IPaymentChannel} from "./interfaces/IPaymentChannel.sol";
import {IPermit2} from "./interfaces/IPermit2.sol";
import {ChannelSignature} from "./libraries/ChannelSignature.sol";
import {ChannelState} from "./libraries/ChannelState.sol";
import {ChannelTypes} from "./libraries/ChannelTypes.sol";
import {Push} from "./libraries/Push.sol";

/// @title PaymentChannel
/// @notice See the interface.
/// @dev The draft's functions name a channel by its id alone, so the terms have to be stored; yet a channel takes one
/// slot. Who pays with which key, and who is paid in which token, are each written once and then named by a number:
/// the second channel between known parties writes nothing but its own slot.
contract PaymentChannel is IPaymentChannel, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ChannelSignature for address;
    using ChannelState for ChannelState.State;
    using ChannelState for uint256;

    /// @dev `delegated`: there is a signer to read in the second slot.
    struct PayerSide {
        address payer;
        bool delegated;
        address authorizedSigner;
    }

    struct PayeeSide {
        address payee;
        address token;
    }

    /// @dev What a payment needs to know of a channel's terms; `signer` is never zero.
    struct Parties {
        address payer;
        address payee;
        address token;
        address signer;
    }

    /// @inheritdoc IPaymentChannel
    uint256 public constant CLOSE_GRACE_PERIOD = 15 minutes;
    /// @inheritdoc IPaymentChannel
    uint256 public constant MAX_DEPOSIT = ChannelState.MAX_AMOUNT;
    /// @inheritdoc IPaymentChannel
    address public constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    /// @dev With this much left, 63/64 covers `Push.GAS` and the rest writes a credit: nobody can starve a payment.
    uint256 private constant PUSH_RESERVE = Push.GAS + 50_000;

    /// @inheritdoc IPaymentChannel
    IComputeRegistry public immutable registry;

    mapping(bytes32 channelId => uint256 word) private _states;
    mapping(bytes32 channelId => uint64) private _closeRequestedAt;
    mapping(bytes32 channelId => mapping(uint256 word => uint256 bits)) private _usedNonces;
    mapping(address account => mapping(address asset => uint256)) private _credits;

    uint128 private _payerCount;
    uint128 private _payeeCount;
    mapping(uint256 payerId => PayerSide) private _payers;
    mapping(uint256 payeeId => PayeeSide) private _payees;
    mapping(address payer => mapping(address authorizedSigner => uint256 payerId)) private _payerIds;
    mapping(address payee => mapping(address token => uint256 payeeId)) private _payeeIds;

    constructor(IComputeRegistry registry_) EIP712("EVM Payment Channel", "1") {
        registry = registry_;
    }

    // ------------------------------------------------------------------------------------------------ opening

    /// @inheritdoc IPaymentChannel
    function open(address payee, address token, uint128 deposit, bytes32 salt, address authorizedSigner)
        external
        payable
        nonReentrant
        returns (bytes32 channelId)
    {
        channelId = _open(msg.sender, payee, token, deposit, salt, authorizedSigner);
        _pull(token, deposit);
    }

    /// @inheritdoc IPaymentChannel
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
    ) external nonReentrant returns (bytes32 channelId) {
        _requireNonce(nonce, ChannelTypes.openNonce(from, payee, token, salt, authorizedSigner));
        channelId = _open(from, payee, token, deposit, salt, authorizedSigner);
        _pullAuthorized(token, from, deposit, validAfter, validBefore, nonce, signature);
    }

    /// @inheritdoc IPaymentChannel
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
    ) external nonReentrant returns (bytes32 channelId) {
        channelId = _open(from, payee, token, deposit, salt, authorizedSigner);
        bytes32 witness = ChannelTypes.openWitness(payee, salt, authorizedSigner);
        _pullPermitted(token, from, deposit, nonce, deadline, witness, ChannelTypes.OPEN_WITNESS_TYPE, signature);
    }

    function _open(
        address payer,
        address payee,
        address token,
        uint256 deposit,
        bytes32 salt,
        address authorizedSigner
    ) private returns (bytes32 channelId) {
        if (payee == address(0)) revert PaymentChannel_ZeroPayee();
        _requireDeposit(deposit, deposit);
        channelId = ChannelTypes.channelId(payer, payee, token, salt, authorizedSigner);
        if (_states[channelId] != 0) revert PaymentChannel_ChannelAlreadyExists(channelId);
        _states[channelId] = ChannelState.State({
            deposit: deposit,
            settled: 0,
            payerId: _payerId(payer, authorizedSigner),
            payeeId: _payeeId(payee, token),
            status: uint256(Status.OPEN)
        }).pack();
        emit ChannelOpened(channelId, payer, payee, token, authorizedSigner, salt, deposit);
    }

    function _payerId(address payer, address authorizedSigner) private returns (uint256 id) {
        id = _payerIds[payer][authorizedSigner];
        if (id != 0) return id;
        id = uint256(_payerCount) + 1;
        if (id > ChannelState.MAX_PAYER_ID) revert PaymentChannel_TooManyParties();
        _payerCount = uint128(id);
        _payerIds[payer][authorizedSigner] = id;
        _payers[id] = PayerSide(payer, authorizedSigner != address(0), authorizedSigner);
    }

    function _payeeId(address payee, address token) private returns (uint256 id) {
        id = _payeeIds[payee][token];
        if (id != 0) return id;
        id = uint256(_payeeCount) + 1;
        if (id > ChannelState.MAX_PAYEE_ID) revert PaymentChannel_TooManyParties();
        _payeeCount = uint128(id);
        _payeeIds[payee][token] = id;
        _payees[id] = PayeeSide(payee, token);
    }

    // ------------------------------------------------------------------------------------------------ adding money

    /// @inheritdoc IPaymentChannel
    function topUp(bytes32 channelId, uint128 additionalDeposit) external payable nonReentrant {
        address token = _topUp(channelId, additionalDeposit, msg.sender, true);
        _pull(token, additionalDeposit);
    }

    /// @inheritdoc IPaymentChannel
    function topUpWithAuthorization(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        bytes32 topUpSalt,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external nonReentrant {
        _requireNonce(nonce, ChannelTypes.topUpNonce(channelId, additionalDeposit, from, topUpSalt));
        address token = _topUp(channelId, additionalDeposit, from, false);
        _pullAuthorized(token, from, additionalDeposit, validAfter, validBefore, nonce, signature);
    }

    /// @inheritdoc IPaymentChannel
    function topUpWithPermit2(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant {
        address token = _topUp(channelId, additionalDeposit, from, false);
        bytes32 witness = ChannelTypes.topUpWitness(channelId);
        _pullPermitted(
            token, from, additionalDeposit, nonce, deadline, witness, ChannelTypes.TOP_UP_WITNESS_TYPE, signature
        );
    }

    function _topUp(bytes32 channelId, uint256 amount, address from, bool payerOnly) private returns (address token) {
        ChannelState.State memory state = _live(channelId);
        address payer = _payers[state.payerId].payer;
        if (payerOnly && from != payer) revert PaymentChannel_NotPayer(channelId, from, payer);
        state.deposit += amount;
        _requireDeposit(amount, state.deposit);
        emit ChannelToppedUp(channelId, from, amount, state.deposit);
        // Only the payer's own money withdraws its request; a stranger's would keep the payer from ever leaving.
        if (state.status == uint256(Status.CLOSING) && from == payer) {
            state.status = uint256(Status.OPEN);
            delete _closeRequestedAt[channelId];
            emit CloseRequestCancelled(channelId);
        }
        _states[channelId] = state.pack();
        return _payees[state.payeeId].token;
    }

    // ------------------------------------------------------------------------------------------------ settling

    /// @inheritdoc IPaymentChannel
    function settle(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external nonReentrant {
        (ChannelState.State memory state, Parties memory parties) = _byId(channelId);
        _requirePayee(channelId, parties);
        _settle(channelId, state, parties, cumulativeAmount, signature);
    }

    /// @inheritdoc IPaymentChannel
    function settle(Terms calldata terms, uint128 cumulativeAmount, bytes calldata signature, uint256 providerId)
        external
        nonReentrant
    {
        (bytes32 channelId, ChannelState.State memory state, Parties memory parties) = _byTerms(terms);
        _requirePayee(channelId, parties);
        uint256 paid = _settle(channelId, state, parties, cumulativeAmount, signature);
        _recordCompletion(providerId, parties, paid);
    }

    /// @inheritdoc IPaymentChannel
    function settleWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata payeeSignature,
        bytes calldata voucherSignature
    ) external nonReentrant {
        (ChannelState.State memory state, Parties memory parties) = _byId(channelId);
        bytes32 digest = settleDigest(channelId, cumulativeAmount, nonce, deadline);
        _requireAuthorization(channelId, parties.payee, nonce, deadline, digest, payeeSignature);
        _settle(channelId, state, parties, cumulativeAmount, voucherSignature);
    }

    function _settle(
        bytes32 channelId,
        ChannelState.State memory state,
        Parties memory parties,
        uint128 cumulativeAmount,
        bytes calldata signature
    ) private returns (uint256 paid) {
        if (cumulativeAmount <= state.settled) {
            revert PaymentChannel_AmountNotIncreasing(channelId, cumulativeAmount, state.settled);
        }
        _requireVoucher(channelId, state.deposit, parties.signer, cumulativeAmount, signature);
        paid = cumulativeAmount - state.settled;
        state.settled = cumulativeAmount;
        _states[channelId] = state.pack();
        emit ChannelSettled(channelId, paid, cumulativeAmount);
        _pay(parties.token, parties.payee, paid);
    }

    // ------------------------------------------------------------------------------------------------ closing

    /// @inheritdoc IPaymentChannel
    function close(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external nonReentrant {
        (ChannelState.State memory state, Parties memory parties) = _byId(channelId);
        _requirePayee(channelId, parties);
        _close(channelId, state, parties, cumulativeAmount, signature);
    }

    /// @inheritdoc IPaymentChannel
    function close(Terms calldata terms, uint128 cumulativeAmount, bytes calldata signature, uint256 providerId)
        external
        nonReentrant
    {
        (bytes32 channelId, ChannelState.State memory state, Parties memory parties) = _byTerms(terms);
        _requirePayee(channelId, parties);
        uint256 paid = _close(channelId, state, parties, cumulativeAmount, signature);
        _recordCompletion(providerId, parties, paid);
    }

    /// @inheritdoc IPaymentChannel
    function closeWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata payeeSignature,
        bytes calldata voucherSignature
    ) external nonReentrant {
        (ChannelState.State memory state, Parties memory parties) = _byId(channelId);
        bytes32 digest = closeDigest(channelId, cumulativeAmount, nonce, deadline);
        _requireAuthorization(channelId, parties.payee, nonce, deadline, digest, payeeSignature);
        _close(channelId, state, parties, cumulativeAmount, voucherSignature);
    }

    function _close(
        bytes32 channelId,
        ChannelState.State memory state,
        Parties memory parties,
        uint128 cumulativeAmount,
        bytes calldata signature
    ) private returns (uint256 paid) {
        if (cumulativeAmount > state.settled) {
            _requireVoucher(channelId, state.deposit, parties.signer, cumulativeAmount, signature);
            paid = cumulativeAmount - state.settled;
            state.settled = cumulativeAmount;
        }
        uint256 refunded = _finalize(channelId, state, paid);
        _pay(parties.token, parties.payee, paid);
        _pay(parties.token, parties.payer, refunded);
    }

    /// @inheritdoc IPaymentChannel
    function requestClose(bytes32 channelId) external {
        ChannelState.State memory state = _live(channelId);
        _requirePayer(channelId, state);
        if (state.status == uint256(Status.CLOSING)) return;
        state.status = uint256(Status.CLOSING);
        _states[channelId] = state.pack();
        _closeRequestedAt[channelId] = uint64(block.timestamp);
        emit CloseRequested(channelId, block.timestamp + CLOSE_GRACE_PERIOD);
    }

    /// @inheritdoc IPaymentChannel
    function withdraw(bytes32 channelId) external nonReentrant {
        ChannelState.State memory state = _live(channelId);
        address payer = _requirePayer(channelId, state);
        if (state.status != uint256(Status.CLOSING)) revert PaymentChannel_CloseNotReady(channelId, 0);
        uint256 withdrawableAt = _closeRequestedAt[channelId] + CLOSE_GRACE_PERIOD;
        if (block.timestamp < withdrawableAt) revert PaymentChannel_CloseNotReady(channelId, withdrawableAt);
        uint256 refunded = _finalize(channelId, state, 0);
        _pay(_payees[state.payeeId].token, payer, refunded);
    }

    function _finalize(bytes32 channelId, ChannelState.State memory state, uint256 paid)
        private
        returns (uint256 refunded)
    {
        state.status = uint256(Status.CLOSED);
        _states[channelId] = state.pack();
        refunded = state.deposit - state.settled;
        emit ChannelClosed(channelId, paid, state.settled, refunded);
    }

    // ------------------------------------------------------------------------------------------------ credits

    /// @inheritdoc IPaymentChannel
    function withdrawCredit(address asset, address to) external nonReentrant {
        if (to == address(0)) revert PaymentChannel_ZeroRecipient();
        uint256 amount = _credits[msg.sender][asset];
        if (amount == 0) revert PaymentChannel_NothingCredited(msg.sender, asset);
        delete _credits[msg.sender][asset];
        emit CreditWithdrawn(msg.sender, asset, to, amount);
        if (!_tryPush(asset, to, amount, gasleft())) revert PaymentChannel_TransferFailed(to, amount);
    }

    // ------------------------------------------------------------------------------------------------ views

    /// @inheritdoc IPaymentChannel
    function getChannel(bytes32 channelId) external view returns (Channel memory) {
        ChannelState.State memory state = _states[channelId].unpack();
        PayerSide memory payerSide = _payers[state.payerId];
        PayeeSide memory payeeSide = _payees[state.payeeId];
        return Channel({
            payer: payerSide.payer,
            payee: payeeSide.payee,
            token: payeeSide.token,
            authorizedSigner: payerSide.authorizedSigner,
            deposit: uint128(state.deposit),
            settled: uint128(state.settled),
            closeRequestedAt: _closeRequestedAt[channelId],
            finalized: state.status == uint256(Status.CLOSED)
        });
    }

    /// @inheritdoc IPaymentChannel
    function statusOf(bytes32 channelId) external view returns (Status) {
        return Status(_states[channelId].statusOf());
    }

    /// @inheritdoc IPaymentChannel
    function creditOf(address account, address asset) external view returns (uint256) {
        return _credits[account][asset];
    }

    /// @inheritdoc IPaymentChannel
    function isNonceUsed(bytes32 channelId, uint256 nonce) public view returns (bool) {
        return _usedNonces[channelId][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    /// @inheritdoc IPaymentChannel
    function computeChannelId(address payer, address payee, address token, bytes32 salt, address authorizedSigner)
        external
        view
        returns (bytes32)
    {
        return ChannelTypes.channelId(payer, payee, token, salt, authorizedSigner);
    }

    /// @inheritdoc IPaymentChannel
    function voucherDigest(bytes32 channelId, uint128 cumulativeAmount) public view returns (bytes32) {
        return _hashTypedDataV4(ChannelTypes.voucher(channelId, cumulativeAmount));
    }

    /// @inheritdoc IPaymentChannel
    function settleDigest(bytes32 channelId, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(ChannelTypes.settleAuthorization(channelId, cumulativeAmount, nonce, deadline));
    }

    /// @inheritdoc IPaymentChannel
    function closeDigest(bytes32 channelId, uint128 cumulativeAmount, uint256 nonce, uint256 deadline)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(ChannelTypes.closeAuthorization(channelId, cumulativeAmount, nonce, deadline));
    }

    /// @inheritdoc IPaymentChannel
    function openNonce(address from, address payee, address token, bytes32 salt, address authorizedSigner)
        external
        pure
        returns (bytes32)
    {
        return ChannelTypes.openNonce(from, payee, token, salt, authorizedSigner);
    }

    /// @inheritdoc IPaymentChannel
    function topUpNonce(bytes32 channelId, uint128 additionalDeposit, address from, bytes32 topUpSalt)
        external
        pure
        returns (bytes32)
    {
        return ChannelTypes.topUpNonce(channelId, additionalDeposit, from, topUpSalt);
    }

    // ------------------------------------------------------------------------------------------------ who may

    function _live(bytes32 channelId) private view returns (ChannelState.State memory state) {
        state = _states[channelId].unpack();
        if (state.status == uint256(Status.UNKNOWN)) revert PaymentChannel_ChannelNotFound(channelId);
        if (state.status == uint256(Status.CLOSED)) revert PaymentChannel_ChannelFinalized(channelId);
    }

    function _byId(bytes32 channelId)
        private
        view
        returns (ChannelState.State memory state, Parties memory parties)
    {
        state = _live(channelId);
        PayerSide storage payerSide = _payers[state.payerId];
        PayeeSide storage payeeSide = _payees[state.payeeId];
        (address payer, bool delegated) = (payerSide.payer, payerSide.delegated);
        parties.payer = payer;
        parties.signer = delegated ? payerSide.authorizedSigner : payer;
        parties.payee = payeeSide.payee;
        parties.token = payeeSide.token;
    }

    /// @dev Terms that hash to a live channel's id are that channel's terms.
    function _byTerms(Terms calldata terms)
        private
        view
        returns (bytes32 channelId, ChannelState.State memory state, Parties memory parties)
    {
        channelId =
            ChannelTypes.channelId(terms.payer, terms.payee, terms.token, terms.salt, terms.authorizedSigner);
        state = _live(channelId);
        parties.payer = terms.payer;
        parties.signer = terms.authorizedSigner == address(0) ? terms.payer : terms.authorizedSigner;
        parties.payee = terms.payee;
        parties.token = terms.token;
    }

    function _requirePayee(bytes32 channelId, Parties memory parties) private view {
        if (msg.sender != parties.payee) revert PaymentChannel_NotPayee(channelId, msg.sender, parties.payee);
    }

    function _requirePayer(bytes32 channelId, ChannelState.State memory state) private view returns (address payer) {
        payer = _payers[state.payerId].payer;
        if (msg.sender != payer) revert PaymentChannel_NotPayer(channelId, msg.sender, payer);
    }

    /// @dev The channel has one payee, so a set for each channel is a set for each (payee, channel).
    function _requireAuthorization(
        bytes32 channelId,
        address payee,
        uint256 nonce,
        uint256 deadline,
        bytes32 digest,
        bytes calldata signature
    ) private {
        if (block.timestamp > deadline) revert PaymentChannel_AuthorizationExpired(deadline, block.timestamp);
        if (isNonceUsed(channelId, nonce)) revert PaymentChannel_NonceAlreadyUsed(channelId, nonce);
        _usedNonces[channelId][nonce >> 8] |= 1 << (nonce & 0xff);
        _requireSignature(payee, digest, signature);
    }

    function _requireVoucher(
        bytes32 channelId,
        uint256 deposit,
        address signer,
        uint128 cumulativeAmount,
        bytes calldata signature
    ) private view {
        if (cumulativeAmount > deposit) {
            revert PaymentChannel_AmountExceedsDeposit(channelId, cumulativeAmount, deposit);
        }
        _requireSignature(signer, voucherDigest(channelId, cumulativeAmount), signature);
    }

    function _requireSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        if (!signer.isSignedBy(digest, signature)) revert PaymentChannel_InvalidSignature(signer, digest);
    }

    function _requireNonce(bytes32 nonce, bytes32 expected) private pure {
        if (nonce != expected) revert PaymentChannel_NonceMismatch(nonce, expected);
    }

    function _requireDeposit(uint256 added, uint256 total) private pure {
        if (added == 0) revert PaymentChannel_ZeroDeposit();
        if (total > MAX_DEPOSIT) revert PaymentChannel_DepositOverflow(total, MAX_DEPOSIT);
    }

    // ------------------------------------------------------------------------------------------------ moving money

    function _pull(address token, uint256 amount) private {
        if (token == address(0)) {
            if (msg.value != amount) revert PaymentChannel_ValueMismatch(msg.value, amount);
            return;
        }
        if (msg.value != 0) revert PaymentChannel_ValueMismatch(msg.value, 0);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        _requireDelivered(token, before, amount);
    }

    function _pullAuthorized(
        address token,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) private {
        if (token == address(0)) revert PaymentChannel_NativeCoin();
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC3009(token).receiveWithAuthorization(
            from, address(this), amount, validAfter, validBefore, nonce, signature
        );
        _requireDelivered(token, before, amount);
    }

    function _pullPermitted(
        address token,
        address from,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes32 witness,
        string memory witnessType,
        bytes calldata signature
    ) private {
        if (token == address(0)) revert PaymentChannel_NativeCoin();
        uint256 before = IERC20(token).balanceOf(address(this));
        IPermit2(PERMIT2).permitWitnessTransferFrom(
            IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(token, amount), nonce, deadline),
            IPermit2.SignatureTransferDetails(address(this), amount),
            from,
            witness,
            witnessType,
            signature
        );
        _requireDelivered(token, before, amount);
    }

    function _requireDelivered(address token, uint256 before, uint256 asked) private view {
        uint256 delivered = IERC20(token).balanceOf(address(this)) - before;
        if (delivered < asked) revert PaymentChannel_DeliveredLess(delivered, asked);
    }

    function _pay(address asset, address to, uint256 amount) private {
        if (amount == 0) return;
        if (gasleft() < PUSH_RESERVE) revert PaymentChannel_GasTooLow(gasleft(), PUSH_RESERVE);
        if (_tryPush(asset, to, amount, Push.GAS)) return;
        _credits[to][asset] += amount;
        emit CreditAdded(to, asset, amount);
    }

    function _tryPush(address asset, address to, uint256 amount, uint256 gasLimit) private returns (bool) {
        return asset == address(0)
            ? Push.tryNative(to, amount, gasLimit)
            : Push.tryToken(asset, to, amount, gasLimit);
    }

    /// @dev Asked for by the payee alone, and after the money moved: whatever the registry does, the payment stands.
    function _recordCompletion(uint256 providerId, Parties memory parties, uint256 paid) private {
        if (providerId == 0 || paid == 0) return;
        (bool known, bytes memory offer) =
            address(registry).staticcall(abi.encodeCall(IComputeRegistry.getOffer, (providerId)));
        if (!known || offer.length < 160) return;
        // As plain words: a malformed answer must not revert here.
        (uint256 owner,,,, uint256 asset) = abi.decode(offer, (uint256, uint256, uint256, uint256, uint256));
        if (owner != uint160(parties.payee) || asset != uint160(parties.token)) {
            revert PaymentChannel_ProviderMismatch(providerId, parties.payee, parties.token);
        }
        (known,) = address(registry).call(abi.encodeCall(IComputeRegistry.recordCompletion, (providerId, paid)));
    }
}
