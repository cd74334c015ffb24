// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token that accepts every authorization of anybody and "delivers" from nothing.
contract CompliantThief {
    mapping(address account => uint256 amount) public balanceOf;

    function receiveWithAuthorization(
        address,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        bytes calldata
    ) external {
        balanceOf[to] += value;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return true;
    }
}
