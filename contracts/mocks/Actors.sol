// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IHookReceiver} from "./AwkwardTokens.sol";

/// @notice An account made of code: does what its test says, and receives coins and hooks in the mood that was set.
contract Actor is IHookReceiver {
    enum Mood {
        ACCEPT,
        REJECT,
        BURN_GAS,
        FLOOD,
        REENTER
    }

    Mood public mood;
    address public target;
    bytes public payload;
    bool public reentered;
    bytes public reentryResult;

    error Actor_Rejected();

    receive() external payable {
        _react();
    }

    function onTokenMoved() external {
        _react();
    }

    function setMood(Mood mood_, address target_, bytes calldata payload_) external {
        (mood, target, payload) = (mood_, target_, payload_);
    }

    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory result) = to.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    function _react() private {
        if (mood == Mood.ACCEPT) return;
        if (mood == Mood.REJECT) revert Actor_Rejected();
        if (mood == Mood.FLOOD) {
            assembly ("memory-safe") {
                revert(0, 60000)
            }
        }
        if (mood == Mood.REENTER) {
            (reentered, reentryResult) = target.call(payload);
            return;
        }
        while (true) {}
    }
}

/// @notice A wallet contract: what its owner's key signs, it signed (ERC-1271).
contract ContractWallet is IERC1271 {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    receive() external payable {}

    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory result) = to.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    /// @dev Accepts a trailing byte, so that a test can hand over a signature that is not 65 bytes long.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecover(hash, signature[:65]);
        return recovered == owner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice Takes coins only when it is given a lot of gas.
contract Glutton {
    uint256 public immutable appetite;

    error Glutton_Hungry(uint256 gas);

    constructor(uint256 appetite_) {
        appetite = appetite_;
    }

    receive() external payable {
        if (gasleft() < appetite) revert Glutton_Hungry(gasleft());
    }
}
