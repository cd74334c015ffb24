// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IComputeRegistry
/// @notice Who serves what, at what price, where; and how much really moved to each provider.
/// @dev No owner, no fee, no allow-list; registering costs gas only. Ids start at 1 and are never used twice.
///
/// What the figures are worth: `completions` and `earned` count money that passed through the two payment contracts, so
/// faking them costs a real turnover (which a wash trader pays to itself). Treat them as weak evidence and one's own
/// history with a provider as strong evidence.
///
/// A change of an offer concerns future streams only: price, asset and parties of an open stream are its own (P11).
///
/// Every string in here is untrusted text: readers must escape it and must not dial an endpoint without checks.
interface IComputeRegistry {
    /// @notice One offer, as readers get it.
    /// @param owner Receives the money of its streams and channels; the only account that may update the offer.
    /// @param signer Hot key that may sign receipts and settlements, never receives money; zero = none.
    /// @param asset ERC-20 that prices are in; zero = native coin.
    /// @param pricePerSecond Raw units of `asset` per second.
    /// @param active Whether it takes new streams and is listed.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param registeredAt Unix seconds.
    /// @param completions Number of payments recorded by the payment contracts; stays at 2^64 - 1 once there.
    /// @param earned Raw units of `asset` that were really paid to the provider; stays at 2^128 - 1 once there.
    /// @param model Exact model name, 1..64 bytes. Untrusted text.
    /// @param endpoint Where it serves, 1..256 bytes. Untrusted text.
    struct Provider {
        address owner;
        uint64 pricePerSecond;
        bool active;
        uint8 serviceType;
        address signer;
        uint32 registeredAt;
        uint64 completions;
        address asset;
        uint128 earned;
        string model;
        string endpoint;
    }

    /// @notice A provider put up an offer.
    /// @param id The new provider.
    /// @param owner Who registered it and is paid.
    /// @param modelHash keccak256 of `model`.
    /// @param model Exact model name.
    /// @param asset ERC-20 the price is in; zero = native coin.
    /// @param pricePerSecond Raw units of `asset` per second.
    /// @param endpoint Where it serves.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    event ProviderRegistered(
        uint256 indexed id,
        address indexed owner,
        bytes32 indexed modelHash,
        string model,
        address asset,
        uint256 pricePerSecond,
        string endpoint,
        uint8 serviceType
    );

    /// @notice An owner changed its offer, switched it off or on again.
    /// @param id The provider.
    /// @param pricePerSecond The price from now on.
    /// @param endpoint The endpoint from now on.
    /// @param active Whether it takes new streams from now on.
    event ProviderUpdated(uint256 indexed id, uint256 pricePerSecond, string endpoint, bool active);

    /// @notice An owner appointed, changed or (zero) removed its hot key.
    /// @param id The provider.
    /// @param signer The key that may sign receipts and settlements from now on.
    event ProviderSignerSet(uint256 indexed id, address signer);

    /// @notice A payment contract paid or credited the provider.
    /// @param id The provider.
    /// @param count Number of payments.
    /// @param earned Their sum, in raw units of the provider's asset.
    event CompletionRecorded(uint256 indexed id, uint256 count, uint256 earned);

    /// @dev Thrown when `length` of a model name is not in 1..64 bytes.
    error ComputeRegistry_ModelLength(uint256 length);
    /// @dev Thrown when `length` of an endpoint is not in 1..256 bytes.
    error ComputeRegistry_EndpointLength(uint256 length);
    /// @dev Thrown when the price per second is zero or above type(uint64).max.
    error ComputeRegistry_PriceOutOfRange(uint256 pricePerSecond);
    /// @dev Thrown when the service type is above 3.
    error ComputeRegistry_UnknownServiceType(uint256 serviceType);
    /// @dev Thrown when an asset has no code.
    error ComputeRegistry_AssetNotContract(address asset);
    /// @dev Thrown when `id` was never registered.
    error ComputeRegistry_UnknownProvider(uint256 id);
    /// @dev Thrown when `caller` is not the owner of provider `id`.
    error ComputeRegistry_NotOwner(uint256 id, address caller, address owner);
    /// @dev Thrown when `caller` is not one of the two payment contracts.
    error ComputeRegistry_NotPaymentContract(address caller);

    // An offer appears, changes and goes

    /// @notice Puts up an offer priced in the native coin. The caller becomes its owner.
    /// @dev Emits {ProviderRegistered}.
    ///
    /// Requirements:
    /// - `model` has 1 to 64 bytes and `endpoint` 1 to 256;
    /// - 0 < `pricePerSecond` < 2^64;
    /// - `serviceType` is at most 3.
    /// @param model Exact model name; offers of one model compete with each other.
    /// @param pricePerSecond Wei per second.
    /// @param endpoint Where it serves.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @return id The new provider's id.
    function registerProvider(string calldata model, uint256 pricePerSecond, string calldata endpoint, uint8 serviceType)
        external
        returns (uint256 id);

    /// @notice Puts up an offer priced in an ERC-20 (zero = native coin). The caller becomes its owner.
    /// @dev Emits {ProviderRegistered}. Requirements as above, and `asset` has code unless it is zero. Anyone may make a
    /// token, so a reader that compares prices must choose the assets it knows.
    /// @param model Exact model name.
    /// @param pricePerSecond Raw units of `asset` per second.
    /// @param endpoint Where it serves.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param asset The ERC-20; fixed for the life of the provider.
    /// @return id The new provider's id.
    function registerProvider(
        string calldata model,
        uint256 pricePerSecond,
        string calldata endpoint,
        uint8 serviceType,
        address asset
    ) external returns (uint256 id);

    /// @notice Changes price, endpoint and whether the provider takes new streams.
    /// @dev Emits {ProviderUpdated}. Open streams and channels go on under their own terms.
    ///
    /// Requirements:
    /// - the caller owns the provider;
    /// - 0 < `pricePerSecond` < 2^64 and `endpoint` has 1 to 256 bytes, also when switching off.
    /// @param id The provider.
    /// @param pricePerSecond Raw units of its asset per second.
    /// @param endpoint Where it serves.
    /// @param active False takes it off the lists, true puts it back.
    function updateProvider(uint256 id, uint256 pricePerSecond, string calldata endpoint, bool active) external;

    /// @notice Appoints the hot key of a provider's machine.
    /// @dev Emits {ProviderSignerSet}. The key can sign receipts and settlements; it can never receive or move money, so
    /// the worst a thief can do with it is to settle open streams for less. A new key takes effect at once, also for
    /// streams that are open; settlements signed by the old one are void.
    ///
    /// Requirements:
    /// - the caller owns the provider.
    /// @param id The provider.
    /// @param signer The key; zero removes it.
    function setProviderSigner(uint256 id, address signer) external;

    // Money moved

    /// @notice Counts one payment.
    /// @dev Emits {CompletionRecorded}.
    ///
    /// Requirements:
    /// - the caller is one of the two payment contracts.
    /// @param id The provider that was paid.
    /// @param earned Raw units of its asset.
    function recordCompletion(uint256 id, uint256 earned) external;

    /// @notice Counts `count` payments that sum to `earned`; what a keeper batch uses.
    /// @dev As {recordCompletion}. Never fails for a known provider: counters stop at their maximum.
    /// @param id The provider that was paid.
    /// @param count Number of payments.
    /// @param earned Their sum, in raw units of its asset.
    function recordCompletions(uint256 id, uint256 count, uint256 earned) external;

    /// @notice The stream contract, fixed at deployment.
    /// @return The contract.
    function streamPay() external view returns (address);

    /// @notice The channel contract, fixed at deployment.
    /// @return The contract.
    function paymentChannel() external view returns (address);

    // One offer

    /// @notice Everything about one provider.
    /// @dev Reverts with {ComputeRegistry_UnknownProvider}, as all functions that take an id do.
    /// @param id The provider.
    /// @return provider The offer and its history.
    function getProvider(uint256 id) external view returns (Provider memory provider);

    /// @notice The same for several providers, in the order asked.
    /// @param ids Known providers.
    /// @return providers One for each id.
    function getProviders(uint256[] calldata ids) external view returns (Provider[] memory providers);

    /// @notice What `StreamPay` needs to open a stream, in one cheap read.
    /// @param id The provider.
    /// @return owner Who must be the recipient.
    /// @return pricePerSecond The lowest rate it serves for.
    /// @return active Whether it takes new streams.
    /// @return serviceType What it serves.
    /// @return asset What the price is in; zero = native coin.
    function getOffer(uint256 id)
        external
        view
        returns (address owner, uint256 pricePerSecond, bool active, uint8 serviceType, address asset);

    /// @notice The hot key of a provider.
    /// @param id The provider.
    /// @return signer The key; zero = none.
    function getSigner(uint256 id) external view returns (address signer);

    // Many offers

    /// @notice The cheapest active provider of a model in the native coin; the oldest among equals. Constant gas.
    /// @param model Exact model name.
    /// @return id The provider, 0 when there is none.
    /// @return pricePerSecond Its price, 0 when there is none.
    function getCheapestProvider(string calldata model) external view returns (uint256 id, uint256 pricePerSecond);

    /// @notice The same among offers in one ERC-20 (zero = native coin).
    /// @param model Exact model name.
    /// @param asset The ERC-20.
    /// @return id The provider, 0 when there is none.
    /// @return pricePerSecond Its price, 0 when there is none.
    function getCheapestProvider(string calldata model, address asset)
        external
        view
        returns (uint256 id, uint256 pricePerSecond);

    /// @notice All active providers, in no particular order. For reading off chain; use the paged form when there are many.
    /// @return ids The providers.
    function getActiveProviderIds() external view returns (uint256[] memory ids);

    /// @notice A page of the active providers. The order changes when one is switched off: read all pages at one block.
    /// @param offset How many to skip.
    /// @param limit How many to return at most.
    /// @return ids The providers; empty past the end.
    function getActiveProviderIds(uint256 offset, uint256 limit) external view returns (uint256[] memory ids);

    /// @notice Active providers of a model in the native coin, cheapest first, the older first among equals.
    /// @param model Exact model name.
    /// @param offset How many to skip.
    /// @param limit How many to return at most.
    /// @return ids The providers; empty past the end.
    function getProvidersByModel(string calldata model, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids);

    /// @notice The same among offers in one ERC-20 (zero = native coin).
    /// @param model Exact model name.
    /// @param asset The ERC-20.
    /// @param offset How many to skip.
    /// @param limit How many to return at most.
    /// @return ids The providers; empty past the end.
    function getProvidersByModel(string calldata model, address asset, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids);

    /// @notice All providers a wallet ever registered, active or not, oldest first.
    /// @param wallet The owner.
    /// @param offset How many to skip.
    /// @param limit How many to return at most.
    /// @return ids The providers; empty past the end.
    function getWalletProviders(address wallet, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids);

    /// @notice How many providers there are.
    /// @return total Ever registered; also the newest id.
    /// @return active Taking new streams.
    function getRegistryStats() external view returns (uint256 total, uint256 active);
}
