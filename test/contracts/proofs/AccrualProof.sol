// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Accrual} from "../../../contracts/libraries/Accrual.sol";

/// @notice What the compiler's model checker proves of the arithmetic for every input, `scripts/checks/contracts.ts` runs it.
contract AccrualProof {
    /// What accrued and what is left make up the deposit, to the unit.
    function conservation(uint64 rate, uint32 lastPaid, uint32 end, uint256 time) external pure {
        require(lastPaid <= end && lastPaid <= time);
        uint256 upTo = Accrual.clock(time, end);
        assert(upTo >= lastPaid && upTo <= end);
        assert(
            Accrual.amount(rate, lastPaid, upTo) + Accrual.amount(rate, upTo, end) == Accrual.amount(rate, lastPaid, end)
        );
    }

    /// The clock of a stream never goes back.
    function monotony(uint32 end, uint256 time, uint256 later) external pure {
        require(time <= later);
        assert(Accrual.clock(time, end) <= Accrual.clock(later, end));
    }

    /// No product of a rate and a span leaves 96 bits, so the unchecked arithmetic cannot wrap.
    function bounds(uint64 rate, uint32 from, uint32 to) external pure {
        require(from <= to);
        assert(Accrual.amount(rate, from, to) < 2 ** 96);
    }

    /// A keeper gets at most a thousandth, and the payee everything else.
    function reward(uint96 accrued) external pure {
        uint256 share = Accrual.keeperRewardDown(accrued);
        assert(share * 1_000 <= accrued);
        assert(share * 1_000 + 1_000 > accrued);
    }
}
