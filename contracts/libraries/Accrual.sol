// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Accrual
/// @notice Money as a function of time. A stream holds `rate * (end - lastPaid)`; of that, what lies behind the clock is
/// the payee's and what lies before it is the payer's, so the two always sum to what is held and nothing is rounded.
/// @dev Unchecked, because nothing can overflow: rates have 64 bits and times 32, so amounts stay under 2^96; and
/// `start <= lastPaid <= clock <= end` holds for every stream, lastPaid having been a clock before.
library Accrual {
    uint256 internal constant KEEPER_BASIS_POINTS = 10;

    /// @notice The moment up to which a stream has accrued.
    /// @param time Now.
    /// @param end When its deposit is used up.
    /// @return The earlier of the two.
    function clock(uint256 time, uint256 end) internal pure returns (uint256) {
        return time < end ? time : end;
    }

    /// @notice What accrues between two moments; also what a deposit for that span is.
    /// @param ratePerSecond Raw units, under 2^64.
    /// @param from Unix seconds, under 2^32.
    /// @param to Unix seconds, under 2^32 and not before `from`.
    /// @return Raw units.
    function amount(uint256 ratePerSecond, uint256 from, uint256 to) internal pure returns (uint256) {
        unchecked {
            return ratePerSecond * (to - from);
        }
    }

    /// @notice A keeper's share of what its update accrued, rounded down: the payee keeps the fraction.
    /// @param accrued Raw units, under 2^96.
    /// @return Raw units.
    function keeperRewardDown(uint256 accrued) internal pure returns (uint256) {
        unchecked {
            return accrued * KEEPER_BASIS_POINTS / 10_000;
        }
    }

    /// @notice What a settlement pays, now, of `owed` in total since `start`: never less than was already paid, never
    /// more than the clock says.
    /// @param owed Raw units in total, any number.
    /// @param ratePerSecond Raw units, under 2^64.
    /// @param start When the stream began.
    /// @param lastPaid Up to when it was paid.
    /// @param upTo The clock.
    /// @return paid Raw units.
    function settled(uint256 owed, uint256 ratePerSecond, uint256 start, uint256 lastPaid, uint256 upTo)
        internal
        pure
        returns (uint256 paid)
    {
        uint256 before = amount(ratePerSecond, start, lastPaid);
        if (owed <= before) return 0;
        uint256 accrued = amount(ratePerSecond, lastPaid, upTo);
        unchecked {
            paid = owed - before;
        }
        if (paid > accrued) paid = accrued;
    }
}
