// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RedBlackTreeLib} from "solady/src/utils/RedBlackTreeLib.sol";
import {IComputeRegistry} from "./interfaces/IComputeRegistry.sol";

/// @title ComputeRegistry
/// @notice See {IComputeRegistry}, which is the manual.
contract ComputeRegistry is IComputeRegistry {
    using RedBlackTreeLib for RedBlackTreeLib.Tree;
    using RedBlackTreeLib for bytes32;

    struct Entry {
        // slot 0: all that opening a stream in the native coin reads
        address owner;
        uint64 pricePerSecond;
        uint8 serviceType;
        bool active;
        bool native;
        // slot 1: all that a payment writes; never zero, so the first payment costs like the others
        uint128 earned;
        uint64 completions;
        uint32 registeredAt;
        uint32 activeIndex;
        // slot 2, 3
        address asset;
        address signer;
        string model;
        string endpoint;
    }

    /// @dev The active offers of one model in one asset. Keys are `price << 32 | id`, so equal prices keep the older first.
    struct Book {
        RedBlackTreeLib.Tree byPrice;
        uint256 cheapest;
    }

    uint256 private constant MAX_MODEL_LENGTH = 64;
    uint256 private constant MAX_ENDPOINT_LENGTH = 256;
    uint256 private constant MAX_SERVICE_TYPE = 3;

    /// @inheritdoc IComputeRegistry
    address public immutable streamPay;
    /// @inheritdoc IComputeRegistry
    address public immutable paymentChannel;

    uint256 private _total;
    uint32[] private _activeIds;
    mapping(uint256 id => Entry entry) private _entries;
    mapping(address owner => uint32[] ids) private _idsByOwner;
    mapping(bytes32 modelHash => mapping(address asset => Book book)) private _books;

    /// @param streamPay_ The stream contract that may record completions.
    /// @param paymentChannel_ The channel contract that may record completions.
    constructor(address streamPay_, address paymentChannel_) {
        streamPay = streamPay_;
        paymentChannel = paymentChannel_;
    }

    // An offer appears, changes and goes

    /// @inheritdoc IComputeRegistry
    function registerProvider(string calldata model, uint256 pricePerSecond, string calldata endpoint, uint8 serviceType)
        external
        returns (uint256 id)
    {
        return _register(model, pricePerSecond, endpoint, serviceType, address(0));
    }

    /// @inheritdoc IComputeRegistry
    function registerProvider(
        string calldata model,
        uint256 pricePerSecond,
        string calldata endpoint,
        uint8 serviceType,
        address asset
    ) external returns (uint256 id) {
        if (asset != address(0) && asset.code.length == 0) revert ComputeRegistry_AssetNotContract(asset);
        return _register(model, pricePerSecond, endpoint, serviceType, asset);
    }

    /// @inheritdoc IComputeRegistry
    function updateProvider(uint256 id, uint256 pricePerSecond, string calldata endpoint, bool active) external {
        Entry storage entry = _ownedEntry(id);
        _checkTerms(pricePerSecond, endpoint);

        if (entry.active) _unlist(id, entry);
        // The cast is safe: _checkTerms bounds the price.
        entry.pricePerSecond = uint64(pricePerSecond);
        entry.endpoint = endpoint;
        if (active) _list(id, entry);

        emit ProviderUpdated(id, pricePerSecond, endpoint, active);
    }

    /// @inheritdoc IComputeRegistry
    function setProviderSigner(uint256 id, address signer) external {
        _ownedEntry(id).signer = signer;
        emit ProviderSignerSet(id, signer);
    }

    // Money moved

    /// @inheritdoc IComputeRegistry
    function recordCompletion(uint256 id, uint256 earned) external {
        _record(id, 1, earned);
    }

    /// @inheritdoc IComputeRegistry
    function recordCompletions(uint256 id, uint256 count, uint256 earned) external {
        _record(id, count, earned);
    }

    // One offer

    /// @inheritdoc IComputeRegistry
    function getProvider(uint256 id) external view returns (Provider memory provider) {
        return _provider(id);
    }

    /// @inheritdoc IComputeRegistry
    function getProviders(uint256[] calldata ids) external view returns (Provider[] memory providers) {
        providers = new Provider[](ids.length);
        for (uint256 i; i < ids.length; ++i) providers[i] = _provider(ids[i]);
    }

    /// @inheritdoc IComputeRegistry
    function getOffer(uint256 id)
        external
        view
        returns (address owner, uint256 pricePerSecond, bool active, uint8 serviceType, address asset)
    {
        // Read before the check, so that the slot is loaded once.
        Entry storage entry = _entries[id];
        owner = entry.owner;
        pricePerSecond = entry.pricePerSecond;
        active = entry.active;
        serviceType = entry.serviceType;
        bool native = entry.native;
        if (owner == address(0)) revert ComputeRegistry_UnknownProvider(id);
        if (!native) asset = entry.asset;
    }

    /// @inheritdoc IComputeRegistry
    function getSigner(uint256 id) external view returns (address signer) {
        return _entry(id).signer;
    }

    // Many offers

    /// @inheritdoc IComputeRegistry
    function getCheapestProvider(string calldata model) external view returns (uint256 id, uint256 pricePerSecond) {
        return _cheapest(model, address(0));
    }

    /// @inheritdoc IComputeRegistry
    function getCheapestProvider(string calldata model, address asset)
        external
        view
        returns (uint256 id, uint256 pricePerSecond)
    {
        return _cheapest(model, asset);
    }

    /// @inheritdoc IComputeRegistry
    function getActiveProviderIds() external view returns (uint256[] memory ids) {
        return _page(_activeIds, 0, _activeIds.length);
    }

    /// @inheritdoc IComputeRegistry
    function getActiveProviderIds(uint256 offset, uint256 limit) external view returns (uint256[] memory ids) {
        return _page(_activeIds, offset, limit);
    }

    /// @inheritdoc IComputeRegistry
    function getProvidersByModel(string calldata model, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids)
    {
        return _byPrice(model, address(0), offset, limit);
    }

    /// @inheritdoc IComputeRegistry
    function getProvidersByModel(string calldata model, address asset, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids)
    {
        return _byPrice(model, asset, offset, limit);
    }

    /// @inheritdoc IComputeRegistry
    function getWalletProviders(address wallet, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids)
    {
        return _page(_idsByOwner[wallet], offset, limit);
    }

    /// @inheritdoc IComputeRegistry
    function getRegistryStats() external view returns (uint256 total, uint256 active) {
        return (_total, _activeIds.length);
    }

    // Private: writes

    function _register(
        string calldata model,
        uint256 pricePerSecond,
        string calldata endpoint,
        uint8 serviceType,
        address asset
    ) private returns (uint256 id) {
        uint256 length = bytes(model).length;
        if (length == 0 || length > MAX_MODEL_LENGTH) revert ComputeRegistry_ModelLength(length);
        _checkTerms(pricePerSecond, endpoint);
        if (serviceType > MAX_SERVICE_TYPE) revert ComputeRegistry_UnknownServiceType(serviceType);

        // Casts of ids to 32 bits are safe: two thousand million registrations are beyond any chain's reach.
        id = ++_total;
        Entry storage entry = _entries[id];
        entry.owner = msg.sender;
        entry.pricePerSecond = uint64(pricePerSecond);
        entry.serviceType = serviceType;
        entry.native = asset == address(0);
        entry.registeredAt = uint32(block.timestamp);
        entry.asset = asset;
        entry.model = model;
        entry.endpoint = endpoint;
        _idsByOwner[msg.sender].push(uint32(id));
        _list(id, entry);

        emit ProviderRegistered(
            id, msg.sender, keccak256(bytes(model)), model, asset, pricePerSecond, endpoint, serviceType
        );
    }

    function _list(uint256 id, Entry storage entry) private {
        entry.active = true;
        entry.activeIndex = uint32(_activeIds.length);
        _activeIds.push(uint32(id));

        Book storage book = _bookOf(entry);
        uint256 key = _key(id, entry.pricePerSecond);
        book.byPrice.insert(key);
        uint256 cheapest = book.cheapest;
        if (cheapest == 0 || key < cheapest) book.cheapest = key;
    }

    function _unlist(uint256 id, Entry storage entry) private {
        entry.active = false;
        uint32 index = entry.activeIndex;
        uint32 last = _activeIds[_activeIds.length - 1];
        _activeIds[index] = last;
        _entries[last].activeIndex = index;
        _activeIds.pop();

        Book storage book = _bookOf(entry);
        uint256 key = _key(id, entry.pricePerSecond);
        book.byPrice.remove(key);
        if (book.cheapest == key) book.cheapest = book.byPrice.first().value();
    }

    function _record(uint256 id, uint256 count, uint256 earned) private {
        if (msg.sender != streamPay && msg.sender != paymentChannel) {
            revert ComputeRegistry_NotPaymentContract(msg.sender);
        }
        // Touches slot 1 only. Saturating: payments in a worthless token must not make a later record fail.
        Entry storage entry = _entries[id];
        if (entry.registeredAt == 0) revert ComputeRegistry_UnknownProvider(id);
        entry.earned = uint128(_addUpTo(entry.earned, earned, type(uint128).max));
        entry.completions = uint64(_addUpTo(entry.completions, count, type(uint64).max));
        emit CompletionRecorded(id, count, earned);
    }

    // Private: reads

    function _checkTerms(uint256 pricePerSecond, string calldata endpoint) private pure {
        if (pricePerSecond == 0 || pricePerSecond > type(uint64).max) {
            revert ComputeRegistry_PriceOutOfRange(pricePerSecond);
        }
        uint256 length = bytes(endpoint).length;
        if (length == 0 || length > MAX_ENDPOINT_LENGTH) revert ComputeRegistry_EndpointLength(length);
    }

    function _entry(uint256 id) private view returns (Entry storage entry) {
        entry = _entries[id];
        if (entry.owner == address(0)) revert ComputeRegistry_UnknownProvider(id);
    }

    function _ownedEntry(uint256 id) private view returns (Entry storage entry) {
        entry = _entry(id);
        if (msg.sender != entry.owner) revert ComputeRegistry_NotOwner(id, msg.sender, entry.owner);
    }

    function _provider(uint256 id) private view returns (Provider memory) {
        Entry storage entry = _entry(id);
        return Provider({
            owner: entry.owner,
            pricePerSecond: entry.pricePerSecond,
            active: entry.active,
            serviceType: entry.serviceType,
            signer: entry.signer,
            registeredAt: entry.registeredAt,
            completions: entry.completions,
            asset: entry.asset,
            earned: entry.earned,
            model: entry.model,
            endpoint: entry.endpoint
        });
    }

    function _cheapest(string calldata model, address asset) private view returns (uint256 id, uint256 pricePerSecond) {
        uint256 key = _books[keccak256(bytes(model))][asset].cheapest;
        return (uint32(key), key >> 32);
    }

    function _byPrice(string calldata model, address asset, uint256 offset, uint256 limit)
        private
        view
        returns (uint256[] memory ids)
    {
        RedBlackTreeLib.Tree storage tree = _books[keccak256(bytes(model))][asset].byPrice;
        ids = new uint256[](_pageSize(tree.size(), offset, limit));
        if (ids.length == 0) return ids;
        bytes32 pointer = tree.first();
        for (uint256 i; i < offset; ++i) pointer = pointer.next();
        for (uint256 i; i < ids.length; ++i) {
            ids[i] = uint32(pointer.value());
            pointer = pointer.next();
        }
    }

    function _page(uint32[] storage list, uint256 offset, uint256 limit) private view returns (uint256[] memory ids) {
        ids = new uint256[](_pageSize(list.length, offset, limit));
        for (uint256 i; i < ids.length; ++i) ids[i] = list[offset + i];
    }

    function _pageSize(uint256 length, uint256 offset, uint256 limit) private pure returns (uint256) {
        if (offset >= length) return 0;
        uint256 left = length - offset;
        return limit < left ? limit : left;
    }

    function _bookOf(Entry storage entry) private view returns (Book storage) {
        return _books[keccak256(bytes(entry.model))][entry.asset];
    }

    function _key(uint256 id, uint256 pricePerSecond) private pure returns (uint256) {
        return pricePerSecond << 32 | id;
    }

    function _addUpTo(uint256 a, uint256 b, uint256 max) private pure returns (uint256) {
        unchecked {
            return b > max - a ? max : a + b; // callers keep a <= max
        }
    }
}
