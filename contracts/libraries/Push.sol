// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Push
/// @notice Payments that report failure instead of reverting, so that the caller can credit the money.
/// @dev Return data is never copied beyond one word, and a bounded gas allowance leaves the caller enough to go on.
/// A call that runs out of gas undoes itself, so "failed" always means that nothing moved. The one thing assumed of a
/// token: a transfer that returns false moved nothing.
library Push {
    /// @dev Enough for every token and wallet worth serving, little enough to be wasted without harm.
    uint256 internal constant GAS = 200_000;

    function tryNative(address to, uint256 amount, uint256 gasLimit) internal returns (bool ok) {
        assembly ("memory-safe") {
            ok := call(gasLimit, to, amount, 0, 0, 0, 0)
        }
    }

    function tryToken(address asset, address to, uint256 amount, uint256 gasLimit) internal returns (bool ok) {
        bytes memory data = abi.encodeCall(IERC20.transfer, (to, amount));
        assembly ("memory-safe") {
            ok := call(gasLimit, asset, 0, add(data, 32), mload(data), 0, 32)
            switch returndatasize()
            case 0 { ok := and(ok, gt(extcodesize(asset), 0)) }
            default { ok := and(ok, and(gt(returndatasize(), 31), eq(mload(0), 1))) }
        }
    }
}
