// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ChannelState
/// @notice A channel in one word, so that opening, settling and closing each write one slot once.
/// @dev From the low end: deposit 88 | settled 88 | payerId 40 | payeeId 32 | status 8. `unpack(pack(x))` is `x` for
/// every `x` within `isPackable`.
library ChannelState {
    /// @param deposit Everything ever deposited; stays after the closing, as does `settled`.
    /// @param payerId Number of the (payer, authorized signer) pair.
    /// @param payeeId Number of the (payee, token) pair.
    /// @param status Of `IPaymentChannel.Status`.
    struct State {
        uint256 deposit;
        uint256 settled;
        uint256 payerId;
        uint256 payeeId;
        uint256 status;
    }

    uint256 internal constant MAX_AMOUNT = type(uint88).max;
    uint256 internal constant MAX_PAYER_ID = type(uint40).max;
    uint256 internal constant MAX_PAYEE_ID = type(uint32).max;

    function pack(State memory state) internal pure returns (uint256 word) {
        return state.deposit | (state.settled << 88) | (state.payerId << 176) | (state.payeeId << 216)
            | (state.status << 248);
    }

    function unpack(uint256 word) internal pure returns (State memory state) {
        state.deposit = word & MAX_AMOUNT;
        state.settled = (word >> 88) & MAX_AMOUNT;
        state.payerId = (word >> 176) & MAX_PAYER_ID;
        state.payeeId = (word >> 216) & MAX_PAYEE_ID;
        state.status = word >> 248;
    }

    function statusOf(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 248);
    }
}
