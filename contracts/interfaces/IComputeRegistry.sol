// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IComputeRegistry
/// @notice Who serves what, at what price, where; and how much really moved to each provider.
/// @dev Every string in here is untrusted text: readers must escape it and must not dial an endpoint without checks.
interface IComputeRegistry {
    /// @param owner Receives the money of its streams and channels; the only account that may update the offer.
    /// @param signer Hot key that may sign receipts and settlements, never receives money; zero = none.
    /// @param asset ERC-20 that prices are in; zero = native coin.
    /// @param pricePerSecond Raw units of `asset` per second.
    /// @param serviceType 0 text, 1 image, 2 audio, 3 embedding.
    /// @param completions Number of payments recorded by the payment contracts.
    /// @param earned Raw units of `asset` that were really paid to the provider.
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
    event ProviderUpdated(uint256 indexed id, uint256 pricePerSecond, string endpoint, bool active);
    event ProviderSignerSet(uint256 indexed id, address signer);
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

    function registerProvider(string calldata model, uint256 pricePerSecond, string calldata endpoint, uint8 serviceType)
        external
        returns (uint256 id);

    function registerProvider(
        string calldata model,
        uint256 pricePerSecond,
        string calldata endpoint,
        uint8 serviceType,
        address asset
    ) external returns (uint256 id);

    function updateProvider(uint256 id, uint256 pricePerSecond, string calldata endpoint, bool active) external;

    function setProviderSigner(uint256 id, address signer) external;

    function recordCompletion(uint256 id, uint256 earned) external;

    /// @dev One call for `count` payments that sum to `earned`; what a keeper batch uses.
    function recordCompletions(uint256 id, uint256 count, uint256 earned) external;

    function getProvider(uint256 id) external view returns (Provider memory provider);

    function getProviders(uint256[] calldata ids) external view returns (Provider[] memory providers);

    function getCheapestProvider(string calldata model) external view returns (uint256 id, uint256 pricePerSecond);

    function getCheapestProvider(string calldata model, address asset)
        external
        view
        returns (uint256 id, uint256 pricePerSecond);

    function getActiveProviderIds() external view returns (uint256[] memory ids);

    function getActiveProviderIds(uint256 offset, uint256 limit) external view returns (uint256[] memory ids);

    /// @notice Active providers of a model, native coin, cheapest first.
    function getProvidersByModel(string calldata model, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids);

    function getProvidersByModel(string calldata model, address asset, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids);

    function getWalletProviders(address wallet, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory ids);

    function getRegistryStats() external view returns (uint256 total, uint256 active);

    /// @notice What `StreamPay` needs to open a stream, in one cheap read.
    function getOffer(uint256 id)
        external
        view
        returns (address owner, uint256 pricePerSecond, bool active, uint8 serviceType, address asset);

    function getSigner(uint256 id) external view returns (address signer);
}
