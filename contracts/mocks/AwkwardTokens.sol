// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {MockToken} from "./MockToken.sol";

/// @notice Transfers return nothing at all, as some of the largest tokens do.
contract NoReturnToken {
    string public constant name = "No return";
    string public constant symbol = "NORET";
    uint8 public constant decimals = 6;

    uint256 public totalSupply;
    mapping(address account => uint256 amount) public balanceOf;
    mapping(address owner => mapping(address spender => uint256 amount)) public allowance;

    error NoReturnToken_Insufficient();

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        if (allowance[from][msg.sender] < amount) revert NoReturnToken_Insufficient();
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        if (balanceOf[from] < amount) revert NoReturnToken_Insufficient();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

/// @notice Keeps one hundredth of every transfer.
contract FeeToken is MockToken("Fee", "FEE", 18) {
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, value);
        uint256 fee = value / 100;
        super._update(from, address(0xfee), fee);
        super._update(from, to, value - fee);
    }
}

/// @notice Refuses transfers from and to blocked accounts.
contract BlocklistToken is MockToken("Blocklist", "BLOCK", 6) {
    mapping(address account => bool blocked) public blocked;

    error BlocklistToken_Blocked(address account);

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (blocked[from]) revert BlocklistToken_Blocked(from);
        if (blocked[to]) revert BlocklistToken_Blocked(to);
        super._update(from, to, value);
    }
}

/// @notice Misbehaves on command: its `transfer` lies, burns gas or floods with return data; `transferFrom` keeps a fee.
contract MoodyToken is MockToken("Moody", "MOODY", 18) {
    enum Mood {
        GOOD,
        RETURNS_FALSE,
        RETURNS_TWO,
        RETURNS_SHORT,
        BURNS_GAS,
        FLOODS
    }

    Mood public mood;
    bool public keepsFee;

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    function setKeepsFee(bool keepsFee_) external {
        keepsFee = keepsFee_;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (!keepsFee) return super.transferFrom(from, to, amount);
        _spendAllowance(from, msg.sender, amount);
        _burn(from, amount / 100);
        _transfer(from, to, amount - amount / 100);
        return true;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (mood == Mood.GOOD) return super.transfer(to, amount);
        if (mood == Mood.RETURNS_FALSE) return false;
        if (mood == Mood.RETURNS_TWO) {
            assembly ("memory-safe") {
                mstore(0, 2)
                return(0, 32)
            }
        }
        if (mood == Mood.RETURNS_SHORT) {
            assembly ("memory-safe") {
                mstore(0, shl(248, 1))
                return(0, 1)
            }
        }
        if (mood == Mood.FLOODS) {
            assembly ("memory-safe") {
                revert(0, 60000)
            }
        }
        while (true) {}
        return false;
    }
}

/// @notice Knows authorizations as EIP-3009 wrote them, with split signatures only.
contract SplitSignatureToken is MockToken("Split", "SPLIT", 6) {
    error SplitSignatureToken_UnknownFunction();

    function receiveWithAuthorization(address, address, uint256, uint256, uint256, bytes32, bytes calldata)
        external
        pure
        override
    {
        revert SplitSignatureToken_UnknownFunction();
    }
}

/// @notice Tells sender and receiver of every transfer, as ERC-777 does.
contract HookToken is MockToken("Hook", "HOOK", 18) {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        _tell(from);
        _tell(to);
    }

    function _tell(address account) private {
        if (account.code.length == 0) return;
        // A failing hook fails the transfer, as a strict hook token would.
        (bool ok, bytes memory reason) = account.call(abi.encodeCall(IHookReceiver.onTokenMoved, ()));
        if (!ok && reason.length >= 4 && bytes4(reason) == IHookReceiver.Hook_Refused.selector) {
            revert IHookReceiver.Hook_Refused();
        }
    }
}

interface IHookReceiver {
    error Hook_Refused();

    function onTokenMoved() external;
}
