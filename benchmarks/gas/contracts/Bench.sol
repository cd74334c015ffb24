// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Plain OpenZeppelin ERC-20 with open minting: the token of every ERC-20 row, ours and the peers'.
contract BenchToken is ERC20 {
    uint8 private immutable _decimals;

    constructor(uint8 decimals_) ERC20("Bench", "BENCH") {
        _decimals = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

interface IRegistryUnderTest {
    function registerProvider(string calldata model, uint256 price, string calldata endpoint, uint8 serviceType)
        external
        returns (uint256 id);

    function updateProvider(uint256 id, uint256 price, string calldata endpoint, bool active) external;

    function getCheapestProvider(string calldata model) external view returns (uint256 id, uint256 price);
}

/// @notice Fills a registry, and asks it what another contract would ask.
contract RegistryCaller {
    string private constant MODEL = "llama-3.3-70b-versatile";
    string private constant ENDPOINT = "https://provider-000.example/inference";

    event Asked(uint256 gasUsed, uint256 id, uint256 price);

    /// @dev Prices in no order, so that the ordered set is grown at every depth.
    function register(IRegistryUnderTest registry, uint256 from, uint256 to) external {
        for (uint256 i = from; i < to; ++i) {
            uint256 price = 1e12 + uint256(keccak256(abi.encode(i))) % 1e12;
            registry.registerProvider(MODEL, price, ENDPOINT, 0);
        }
    }

    /// @dev The gas of the call alone, with the registry's account and storage cold.
    function ask(IRegistryUnderTest registry) external {
        uint256 before = gasleft();
        (uint256 id, uint256 price) = registry.getCheapestProvider(MODEL);
        emit Asked(before - gasleft(), id, price);
    }
}
