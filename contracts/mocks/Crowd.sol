// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IComputeRegistry} from "../interfaces/IComputeRegistry.sol";
import {IStreamPay} from "../interfaces/IStreamPay.sol";

/// @notice Owns many offers and pays for many streams: fills a local chain through the contracts' own functions.
contract Crowd {
    receive() external payable {}

    /// @dev Offer number `first + i` gets the next of `models` in turn and a price from `price` to twice that.
    function register(
        IComputeRegistry registry,
        string[] calldata models,
        string calldata endpoint,
        uint256 price,
        uint256 first,
        uint256 count
    ) external {
        for (uint256 i = first; i < first + count; ++i) {
            registry.registerProvider(models[i % models.length], price + _mix(i) % price, endpoint, 0);
        }
    }

    /// @dev One stream of 64 is for an offer of `recipient`, at `rate` to 32 times that; the others pay a 65536th of it to one of a
    /// thousand addresses. They last `duration` or a part of it.
    function open(
        IStreamPay streamPay,
        address recipient,
        uint256 firstOffer,
        uint256 offers,
        uint256 rate,
        uint256 duration,
        uint256 first,
        uint256 count
    ) external {
        for (uint256 i = first; i < first + count; ++i) {
            uint256 mixed = _mix(i);
            uint256 perSecond = rate << (mixed % 6);
            uint256 lasting = duration - ((mixed >> 8) % 4) * (duration / 4);
            if (i % 64 == 0) {
                uint256 offer = firstOffer + (mixed >> 16) % offers;
                streamPay.createStream{value: perSecond * lasting}(recipient, lasting, 0, offer);
            } else {
                perSecond >>= 16;
                streamPay.createStream{value: perSecond * lasting}(address(uint160(_mix(i % 1000))), lasting, 0, 0);
            }
        }
    }

    function _mix(uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(i)));
    }
}
