// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IComputeRegistry} from "./interfaces/IComputeRegistry.sol";
import {IERC3009} from "./interfaces/IERC3009.sol";
import {IStreamPay} from "./interfaces/IStreamPay.sol";
import {Accrual} from "./libraries/Accrual.sol";
import {Push} from "./libraries/Push.sol";
import {Account, AccountSlot, Terms, TermsSlot} from "./libraries/StreamSlots.sol";

/// @title StreamPay
/// @notice See {IStreamPay}, which is the manual.
/// @dev Every exit works in this order: state, the registry's record, events and credits, then at most one push to the
/// caller. The record comes before work that costs more than the 1/64 of gas which a starved call leaves behind, so a
/// caller cannot skip it by sending too little gas. The contract's own balance is never read for accounting.
contract StreamPay is IStreamPay, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    // Slots A and B as in StreamSlots.sol; slot C is written for ERC-20 only.
    struct Escrow {
        Terms terms;
        Account account;
        address asset;
    }

    /// @dev Adjacent streams of a batch that share asset, payee and provider; paid and recorded once.
    struct Run {
        address asset;
        address payee;
        uint256 providerId;
        uint256 count;
        uint256 earned;
    }

    /// @dev A keeper's rewards of one batch, native apart from the tokens.
    struct Rewards {
        uint256 native;
        uint256 length;
        address[] assets;
        uint256[] amounts;
    }

    /// @inheritdoc IStreamPay
    uint256 public constant MAX_DURATION = 365 days;
    /// @inheritdoc IStreamPay
    uint256 public constant MAX_BATCH = 500;
    /// @inheritdoc IStreamPay
    uint256 public constant KEEPER_BASIS_POINTS = Accrual.KEEPER_BASIS_POINTS;

    bytes32 private constant SETTLEMENT_TYPEHASH = keccak256("Settlement(uint256 streamId,uint256 owed)");
    uint256 private constant MAX_SERVICE_TYPE = 3;

    /// @inheritdoc IStreamPay
    IComputeRegistry public immutable registry;

    uint256 private _nextId = 1;
    mapping(uint256 id => Escrow escrow) private _escrows;
    mapping(address asset => mapping(address account => uint256 amount)) private _credits;

    /// @param registry_ Where offers are read and completions recorded.
    constructor(IComputeRegistry registry_) EIP712("ClawCompute StreamPay", "1") {
        registry = registry_;
    }

    receive() external payable {
        revert StreamPay_DirectTransfer();
    }

    // A stream begins

    /// @inheritdoc IStreamPay
    function createStream(address recipient, uint256 duration, uint8 serviceType, uint256 providerId)
        external
        payable
        nonReentrant
        returns (uint256 id)
    {
        uint256 deposit;
        (id, deposit) = _open(msg.sender, address(0), msg.value, recipient, duration, serviceType, providerId);
        unchecked {
            _pay(address(0), msg.sender, msg.value - deposit);
        }
    }

    /// @inheritdoc IStreamPay
    function createStream(
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId
    ) external nonReentrant returns (uint256 id) {
        return _openToken(asset, amount, recipient, duration, serviceType, providerId);
    }

    /// @inheritdoc IStreamPay
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
    ) external nonReentrant returns (uint256 id) {
        _checkContract(asset);
        // A permit that somebody sent first has left its allowance behind; what counts is the transfer below.
        try IERC20Permit(asset).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _openToken(asset, amount, recipient, duration, serviceType, providerId);
    }

    /// @inheritdoc IStreamPay
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
    ) external nonReentrant returns (uint256 id) {
        _checkContract(asset);
        uint256 before = IERC20(asset).balanceOf(address(this));
        bytes32 nonce = authorizationNonce(payer, recipient, duration, serviceType, providerId, salt);
        if (signature.length == 65) {
            (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(signature);
            IERC3009(asset).receiveWithAuthorization(
                payer, address(this), amount, validAfter, validBefore, nonce, v, r, s
            );
        } else {
            IERC3009(asset).receiveWithAuthorization(
                payer, address(this), amount, validAfter, validBefore, nonce, signature
            );
        }
        _checkDelivered(asset, before, amount);

        uint256 deposit;
        (id, deposit) = _open(payer, asset, amount, recipient, duration, serviceType, providerId);
        _pay(asset, payer, amount - deposit);
    }

    /// @inheritdoc IStreamPay
    function authorizationNonce(
        address payer,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId,
        bytes32 salt
    ) public pure returns (bytes32 nonce) {
        return keccak256(abi.encode(payer, recipient, duration, serviceType, providerId, salt));
    }

    // A stream goes on

    /// @inheritdoc IStreamPay
    function topUpStream(uint256 id, address payer, address recipient) external payable nonReentrant {
        (uint256 cost,, bool native) = _extend(id, payer, recipient, msg.value);
        if (!native) revert StreamPay_UnexpectedValue(msg.value);
        _pay(address(0), msg.sender, msg.value - cost);
    }

    /// @inheritdoc IStreamPay
    function topUpStream(uint256 id, address payer, address recipient, uint256 amount) external nonReentrant {
        (uint256 cost, address asset, bool native) = _extend(id, payer, recipient, amount);
        if (native) revert StreamPay_NativeStream(id);
        _pull(asset, cost);
    }

    /// @inheritdoc IStreamPay
    function withdrawFromStream(uint256 id) external nonReentrant {
        (Escrow storage escrow, Terms terms, Account account) = _load(id);
        if (msg.sender != account.payee()) revert StreamPay_NotPayee(id, msg.sender, account.payee());
        uint256 upTo = Accrual.clock(block.timestamp, terms.end());
        uint256 paid = Accrual.amount(terms.rate(), account.lastPaid(), upTo);
        if (paid == 0) revert StreamPay_NothingToWithdraw(id);

        address asset = _advance(escrow, account, upTo, terms.end());
        _record(account.providerId(), 1, paid);
        emit StreamWithdrawn(id, msg.sender, paid);
        _pay(asset, msg.sender, paid);
    }

    // A stream ends

    /// @inheritdoc IStreamPay
    function cancelStream(uint256 id) external nonReentrant {
        (Escrow storage escrow, Terms terms, Account account) = _load(id);
        bool byPayer = msg.sender == terms.payer();
        if (!byPayer && msg.sender != account.payee()) revert StreamPay_NotParty(id, msg.sender);
        uint256 upTo = Accrual.clock(block.timestamp, terms.end());
        uint256 paid = Accrual.amount(terms.rate(), account.lastPaid(), upTo);
        uint256 refunded = Accrual.amount(terms.rate(), upTo, terms.end());

        address asset = _close(escrow, account);
        _record(account.providerId(), 1, paid);
        emit StreamCancelled(id, msg.sender, paid, refunded);
        if (byPayer) {
            _credit(asset, account.payee(), paid);
            _pay(asset, msg.sender, refunded);
        } else {
            _credit(asset, terms.payer(), refunded);
            _pay(asset, msg.sender, paid);
        }
    }

    /// @inheritdoc IStreamPay
    function settleStream(uint256 id, uint256 owed, bytes calldata signature) external nonReentrant {
        (Escrow storage escrow, Terms terms, Account account) = _load(id);
        if (msg.sender != terms.payer()) revert StreamPay_NotPayer(id, msg.sender, terms.payer());
        if (!_signedBySeller(account.payee(), account.providerId(), settlementDigest(id, owed), signature)) {
            revert StreamPay_BadSettlementSignature(id, owed);
        }
        uint256 upTo = Accrual.clock(block.timestamp, terms.end());
        uint256 paid = Accrual.settled(owed, terms.rate(), account.start(), account.lastPaid(), upTo);
        uint256 refunded = Accrual.amount(terms.rate(), account.lastPaid(), terms.end()) - paid;

        address asset = _close(escrow, account);
        _record(account.providerId(), 1, paid);
        emit StreamSettled(id, paid, refunded);
        _credit(asset, account.payee(), paid);
        _pay(asset, msg.sender, refunded);
    }

    /// @inheritdoc IStreamPay
    function redirectStream(uint256 id, address recipient, uint256 providerId)
        external
        nonReentrant
        returns (uint256 newId)
    {
        return _redirect(id, recipient, providerId, _escrows[id].terms.rate());
    }

    /// @inheritdoc IStreamPay
    function redirectStream(uint256 id, address recipient, uint256 providerId, uint256 maxPricePerSecond)
        external
        nonReentrant
        returns (uint256 newId)
    {
        return _redirect(id, recipient, providerId, maxPricePerSecond);
    }

    function _redirect(uint256 id, address recipient, uint256 providerId, uint256 maxPrice)
        private
        returns (uint256 newId)
    {
        (Escrow storage escrow, Terms terms, Account account) = _load(id);
        if (msg.sender != terms.payer()) revert StreamPay_NotPayer(id, msg.sender, terms.payer());
        if (recipient == address(0)) revert StreamPay_ZeroRecipient();
        address asset = _assetOf(escrow, account);
        (uint256 rate, uint8 serviceType) = (terms.rate(), 0);
        if (providerId != 0) (rate, serviceType) = _offer(providerId, recipient, asset);
        if (rate > maxPrice) revert StreamPay_PriceAboveMax(rate, maxPrice);

        uint256 upTo = Accrual.clock(block.timestamp, terms.end());
        uint256 paid = Accrual.amount(terms.rate(), account.lastPaid(), upTo);
        uint256 left = Accrual.amount(terms.rate(), upTo, terms.end());
        uint256 duration = left / rate;
        if (duration == 0) revert StreamPay_DepositTooSmall(left, rate);
        uint256 longest = _longestDuration();
        if (duration > longest) duration = longest;
        uint256 moved = rate * duration;

        _close(escrow, account);
        newId = _write(msg.sender, asset, rate, recipient, duration, serviceType, providerId);
        _record(account.providerId(), 1, paid);
        emit StreamRedirected(id, newId, paid, moved, left - moved);
        _credit(asset, account.payee(), paid);
        _pay(asset, msg.sender, left - moved);
    }

    // Keepers

    /// @inheritdoc IStreamPay
    function batchUpdateStreams(uint256[] calldata ids) external nonReentrant {
        _checkBatch(ids);
        Run memory run;
        Rewards memory rewards;
        for (uint256 i; i < ids.length; ++i) {
            uint256 id = ids[i];
            Escrow storage escrow = _escrows[id];
            Account account = escrow.account;
            if (account.payee() == address(0)) continue;
            Terms terms = escrow.terms;
            uint256 upTo = Accrual.clock(block.timestamp, terms.end());
            uint256 accrued = Accrual.amount(terms.rate(), account.lastPaid(), upTo);
            if (accrued == 0) continue;

            address asset = _advance(escrow, account, upTo, terms.end());
            uint256 reward = Accrual.keeperRewardDown(accrued);
            emit StreamUpdated(id, accrued, reward, upTo == terms.end());

            uint256 providerId = account.providerId();
            if (account.payee() != run.payee || asset != run.asset || providerId != run.providerId) {
                _flush(run);
                (run.payee, run.asset, run.providerId) = (account.payee(), asset, providerId);
                (run.count, run.earned) = (0, 0);
            }
            run.count += 1;
            run.earned += accrued - reward;
            if (asset == address(0)) rewards.native += reward;
            else if (reward != 0) _addReward(rewards, asset, reward, ids.length);
        }
        _flush(run);

        _pay(address(0), msg.sender, rewards.native);
        for (uint256 i; i < rewards.length; ++i) _pay(rewards.assets[i], msg.sender, rewards.amounts[i]);
    }

    /// @inheritdoc IStreamPay
    function previewBatchUpdate(uint256[] calldata ids)
        external
        view
        returns (UpdatePreview[] memory previews, uint256 nativeReward)
    {
        _checkBatch(ids);
        previews = new UpdatePreview[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            uint256 id = ids[i];
            Escrow storage escrow = _escrows[id];
            (Terms terms, Account account) = (escrow.terms, escrow.account);
            uint256 upTo = Accrual.clock(block.timestamp, terms.end());
            uint256 accrued = Accrual.amount(terms.rate(), account.lastPaid(), upTo);
            if (accrued == 0 || _seenBefore(ids, i)) continue;
            uint256 reward = Accrual.keeperRewardDown(accrued);
            previews[i] = UpdatePreview({accrued: accrued, reward: reward, completes: upTo == terms.end()});
            if (account.native()) nativeReward += reward;
        }
    }

    // Credits

    /// @inheritdoc IStreamPay
    function withdrawCredit(address asset, address to) external nonReentrant {
        if (to == address(0)) revert StreamPay_ZeroRecipient();
        uint256 amount = _credits[asset][msg.sender];
        if (amount == 0) revert StreamPay_NothingCredited(msg.sender, asset);

        _credits[asset][msg.sender] = 0;
        emit CreditWithdrawn(msg.sender, asset, to, amount);
        if (!_push(asset, to, amount, gasleft())) revert StreamPay_TransferFailed(to, amount);
    }

    /// @inheritdoc IStreamPay
    function creditOf(address account, address asset) external view returns (uint256 amount) {
        return _credits[asset][account];
    }

    // Views

    /// @inheritdoc IStreamPay
    function getStream(uint256 id) external view returns (Stream memory stream) {
        Escrow storage escrow = _escrows[id];
        (Terms terms, Account account) = (escrow.terms, escrow.account);
        return Stream({
            payer: terms.payer(),
            payee: account.payee(),
            asset: escrow.asset,
            ratePerSecond: uint64(terms.rate()),
            start: uint32(account.start()),
            end: uint32(terms.end()),
            lastPaid: uint32(account.lastPaid()),
            providerId: uint32(account.providerId())
        });
    }

    /// @inheritdoc IStreamPay
    function getCurrentBalance(uint256 id) external view returns (uint256 accrued) {
        Escrow storage escrow = _escrows[id];
        (Terms terms, Account account) = (escrow.terms, escrow.account);
        return Accrual.amount(terms.rate(), account.lastPaid(), Accrual.clock(block.timestamp, terms.end()));
    }

    /// @inheritdoc IStreamPay
    function statusOf(uint256 id) external view returns (Status status) {
        if (id == 0 || id >= _nextId) return Status.UNKNOWN;
        uint256 end = _escrows[id].terms.end();
        if (end == 0) return Status.CLOSED;
        return block.timestamp < end ? Status.ACTIVE : Status.ENDED;
    }

    /// @inheritdoc IStreamPay
    function getProtocolStats() external view returns (uint256 streamsCreated) {
        return _nextId - 1;
    }

    /// @inheritdoc IStreamPay
    function settlementDigest(uint256 id, uint256 owed) public view returns (bytes32 digest) {
        return _hashTypedDataV4(keccak256(abi.encode(SETTLEMENT_TYPEHASH, id, owed)));
    }

    // Private: opening

    function _openToken(
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId
    ) private returns (uint256 id) {
        _checkContract(asset);
        uint256 deposit;
        (id, deposit) = _open(msg.sender, asset, amount, recipient, duration, serviceType, providerId);
        _pull(asset, deposit);
    }

    function _open(
        address payer,
        address asset,
        uint256 amount,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId
    ) private returns (uint256 id, uint256 deposit) {
        if (recipient == address(0)) revert StreamPay_ZeroRecipient();
        uint256 longest = _longestDuration();
        if (duration == 0 || duration > longest) revert StreamPay_DurationOutOfRange(duration, longest);
        uint256 rate = amount / duration;
        if (rate == 0) revert StreamPay_DepositTooSmall(amount, duration);
        if (rate > type(uint64).max) revert StreamPay_RateOutOfRange(rate, type(uint64).max);
        if (providerId == 0) {
            if (serviceType > MAX_SERVICE_TYPE) revert StreamPay_UnknownServiceType(serviceType);
        } else {
            (uint256 price, uint8 offered) = _offer(providerId, recipient, asset);
            if (rate < price) revert StreamPay_RateBelowPrice(rate, price);
            if (serviceType != offered) revert StreamPay_ServiceTypeMismatch(serviceType, offered);
        }
        id = _write(payer, asset, rate, recipient, duration, serviceType, providerId);
        unchecked {
            deposit = rate * duration; // at most `amount`, so what callers give back is not negative either
        }
    }

    /// @dev Callers have bounded every value: nothing in here can be cut or overflow.
    function _write(
        address payer,
        address asset,
        uint256 rate,
        address recipient,
        uint256 duration,
        uint8 serviceType,
        uint256 providerId
    ) private returns (uint256 id) {
        uint256 end;
        unchecked {
            end = block.timestamp + duration;
            id = _nextId++;
        }
        Escrow storage escrow = _escrows[id];
        escrow.terms = TermsSlot.pack(payer, rate, end);
        escrow.account = AccountSlot.pack(recipient, block.timestamp, providerId, asset == address(0));
        if (asset != address(0)) escrow.asset = asset;
        emit StreamCreated(id, payer, recipient, asset, rate, block.timestamp, end, providerId, serviceType);
    }

    function _offer(uint256 providerId, address recipient, address asset)
        private
        view
        returns (uint256 price, uint8 serviceType)
    {
        address owner;
        bool active;
        address offeredAsset;
        (owner, price, active, serviceType, offeredAsset) = registry.getOffer(providerId);
        if (!active) revert StreamPay_ProviderInactive(providerId);
        if (recipient != owner) revert StreamPay_RecipientNotProvider(recipient, owner);
        if (asset != offeredAsset) revert StreamPay_AssetMismatch(asset, offeredAsset);
    }

    function _extend(uint256 id, address payer, address recipient, uint256 amount)
        private
        returns (uint256 cost, address asset, bool native)
    {
        (Escrow storage escrow, Terms terms, Account account) = _load(id);
        if (payer != terms.payer() || recipient != account.payee()) {
            revert StreamPay_PartiesMismatch(id, terms.payer(), account.payee());
        }
        if (block.timestamp >= terms.end()) revert StreamPay_StreamEnded(id, terms.end());
        uint256 added = amount / terms.rate();
        if (added == 0) revert StreamPay_DepositTooSmall(amount, terms.rate());
        uint256 longest = _longestDuration();
        uint256 remaining = terms.end() - block.timestamp;
        if (added > longest - remaining) revert StreamPay_DurationOutOfRange(remaining + added, longest);

        uint256 end = terms.end() + added;
        cost = terms.rate() * added;
        escrow.terms = terms.withEnd(end);
        emit StreamToppedUp(id, msg.sender, cost, end);
        return (cost, _assetOf(escrow, account), account.native());
    }

    // Private: moving on and closing

    function _load(uint256 id)
        private
        view
        returns (Escrow storage escrow, Terms terms, Account account)
    {
        escrow = _escrows[id];
        terms = escrow.terms;
        if (terms.payer() == address(0)) revert StreamPay_UnknownStream(id);
        account = escrow.account;
    }

    /// @dev Marks everything up to `upTo` as paid; a stream that reached its end is gone.
    function _advance(Escrow storage escrow, Account account, uint256 upTo, uint256 end)
        private
        returns (address asset)
    {
        if (upTo == end) return _close(escrow, account);
        asset = _assetOf(escrow, account);
        escrow.account = account.withLastPaid(upTo);
    }

    function _close(Escrow storage escrow, Account account) private returns (address asset) {
        asset = _assetOf(escrow, account);
        escrow.terms = Terms.wrap(0);
        escrow.account = Account.wrap(0);
        if (asset != address(0)) delete escrow.asset;
    }

    function _assetOf(Escrow storage escrow, Account account) private view returns (address) {
        return account.native() ? address(0) : escrow.asset;
    }

    function _record(uint256 providerId, uint256 count, uint256 earned) private {
        if (providerId == 0 || earned == 0) return;
        // The result is ignored on purpose: a record must never stand between anybody and their money.
        (bool recorded,) = address(registry).call(
            abi.encodeCall(IComputeRegistry.recordCompletions, (providerId, count, earned))
        );
        recorded;
    }

    // Private: keepers

    function _flush(Run memory run) private {
        if (run.earned == 0) return;
        _record(run.providerId, run.count, run.earned);
        _credit(run.asset, run.payee, run.earned);
    }

    function _addReward(Rewards memory rewards, address asset, uint256 reward, uint256 capacity) private pure {
        if (rewards.length == 0) {
            rewards.assets = new address[](capacity);
            rewards.amounts = new uint256[](capacity);
        }
        uint256 i = rewards.length;
        // From the newest: neighbours in a batch mostly share their asset.
        while (i != 0) {
            if (rewards.assets[--i] == asset) {
                rewards.amounts[i] += reward;
                return;
            }
        }
        i = rewards.length++;
        (rewards.assets[i], rewards.amounts[i]) = (asset, reward);
    }

    function _seenBefore(uint256[] calldata ids, uint256 index) private pure returns (bool) {
        for (uint256 i; i < index; ++i) if (ids[i] == ids[index]) return true;
        return false;
    }

    function _checkBatch(uint256[] calldata ids) private pure {
        if (ids.length > MAX_BATCH) revert StreamPay_TooManyIds(ids.length, MAX_BATCH);
    }

    // Private: money

    function _pull(address asset, uint256 amount) private {
        uint256 before = IERC20(asset).balanceOf(address(this));
        IERC20(asset).safeTransferFrom(msg.sender, address(this), amount);
        _checkDelivered(asset, before, amount);
    }

    function _checkDelivered(address asset, uint256 before, uint256 asked) private view {
        uint256 balance = IERC20(asset).balanceOf(address(this));
        uint256 delivered = balance > before ? balance - before : 0;
        if (delivered < asked) revert StreamPay_DeliveredLess(delivered, asked);
    }

    function _pay(address asset, address to, uint256 amount) private {
        if (amount == 0) return;
        if (!_push(asset, to, amount, Push.GAS)) _credit(asset, to, amount);
    }

    function _push(address asset, address to, uint256 amount, uint256 gasLimit) private returns (bool) {
        return asset == address(0)
            ? Push.tryNative(to, amount, gasLimit)
            : Push.tryToken(asset, to, amount, gasLimit);
    }

    function _credit(address asset, address account, uint256 amount) private {
        if (amount == 0) return;
        _credits[asset][account] += amount;
        emit CreditAdded(account, asset, amount);
    }

    // Private: checks

    function _checkContract(address asset) private view {
        if (asset.code.length == 0) revert StreamPay_AssetNotContract(asset);
    }

    /// @dev Times are kept in 32 bits, so nothing may end after 2106-02-07.
    function _longestDuration() private view returns (uint256) {
        unchecked {
            if (block.timestamp <= type(uint32).max - MAX_DURATION) return MAX_DURATION;
            return block.timestamp < type(uint32).max ? type(uint32).max - block.timestamp : 0;
        }
    }

    /// @dev Plain keys first, so that an account with delegated code (EIP-7702) may still sign with its key.
    function _signedBySeller(address payee, uint256 providerId, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool)
    {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered == payee) return true;
        address signer = providerId == 0 ? address(0) : registry.getSigner(providerId);
        if (signer != address(0) && recovered == signer) return true;
        return _signedByContract(payee, digest, signature) || _signedByContract(signer, digest, signature);
    }

    function _signedByContract(address account, bytes32 digest, bytes calldata signature) private view returns (bool) {
        return account.code.length != 0
            && SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }
}
