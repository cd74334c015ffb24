// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A registry that misbehaves on command, where payments record completions.
contract FaultyRegistry {
    enum Mood {
        GOOD,
        OFFER_REVERTS,
        OFFER_IS_SHORT,
        OFFER_IS_GARBAGE,
        RECORD_REVERTS,
        RECORD_BURNS_GAS,
        REENTERS
    }

    Mood public mood;
    address public owner;
    address public asset;
    address public target;
    bytes public payload;
    bool public reentered;
    bytes public reentryResult;
    uint256 public recorded;

    error FaultyRegistry_Refused();

    function set(Mood mood_, address owner_, address asset_) external {
        (mood, owner, asset) = (mood_, owner_, asset_);
    }

    function setReentry(address target_, bytes calldata payload_) external {
        (target, payload) = (target_, payload_);
    }

    function getOffer(uint256) external view returns (uint256, uint256, uint256, uint256, uint256) {
        if (mood == Mood.OFFER_REVERTS) revert FaultyRegistry_Refused();
        if (mood == Mood.OFFER_IS_SHORT) {
            assembly ("memory-safe") {
                return(0, 32)
            }
        }
        if (mood == Mood.OFFER_IS_GARBAGE) {
            return (uint256(uint160(owner)) | (1 << 255), 1, 2, 300, uint160(asset));
        }
        return (uint160(owner), 1, 1, 0, uint160(asset));
    }

    function recordCompletion(uint256, uint256 earned) external {
        if (mood == Mood.RECORD_REVERTS) revert FaultyRegistry_Refused();
        while (mood == Mood.RECORD_BURNS_GAS) {}
        if (mood == Mood.REENTERS) (reentered, reentryResult) = target.call(payload);
        recorded += earned;
    }
}
