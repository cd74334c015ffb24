// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IERC3009} from "../interfaces/IERC3009.sol";

interface IMockDepositCollector {
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external;
}

/// @notice The escrow of x402's `batch-settlement`, for chains of tests: what its clients, its packages and our provider use of it.
/// @dev No immutables: its code also works where a test puts it.
contract MockBatchSettlement is Multicall {
    using SafeERC20 for IERC20;

    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    struct Held {
        uint128 balance;
        uint128 totalClaimed;
    }

    struct Withdrawal {
        uint128 amount;
        uint40 initiatedAt;
    }

    struct Earned {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    struct Voucher {
        ChannelConfig channel;
        uint128 maxClaimableAmount;
    }

    struct VoucherClaim {
        Voucher voucher;
        bytes signature;
        uint128 totalClaimed;
    }

    mapping(bytes32 channelId => Held) public channels;
    mapping(bytes32 channelId => Withdrawal) public pendingWithdrawals;
    mapping(bytes32 channelId => uint256) public refundNonce;
    mapping(address receiver => mapping(address token => Earned)) public receivers;

    error MockBatchSettlement_BadConfig();
    error MockBatchSettlement_NotCollected();
    error MockBatchSettlement_NotReceiver();
    error MockBatchSettlement_NotPayer();
    error MockBatchSettlement_AboveVoucher();
    error MockBatchSettlement_AboveBalance();
    error MockBatchSettlement_BadSignature();
    error MockBatchSettlement_Zero();
    error MockBatchSettlement_NoWithdrawal();
    error MockBatchSettlement_TooEarly();

    function getChannelId(ChannelConfig calldata config) public view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
        );
        return _digest(keccak256(abi.encode(typeHash, config)));
    }

    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external
    {
        if (config.withdrawDelay < 15 minutes || config.withdrawDelay > 30 days || amount == 0) {
            revert MockBatchSettlement_BadConfig();
        }
        bytes32 id = getChannelId(config);
        channels[id].balance += amount;
        uint256 before = IERC20(config.token).balanceOf(address(this));
        IMockDepositCollector(collector).collect(config.payer, config.token, amount, id, collectorData);
        if (IERC20(config.token).balanceOf(address(this)) != before + amount) revert MockBatchSettlement_NotCollected();
    }

    function claim(VoucherClaim[] calldata claims) external {
        for (uint256 i = 0; i < claims.length; ++i) {
            VoucherClaim calldata each = claims[i];
            ChannelConfig calldata config = each.voucher.channel;
            _onlyReceiver(config);
            bytes32 id = getChannelId(config);
            Held storage held = channels[id];
            if (each.totalClaimed <= held.totalClaimed) continue;
            if (each.totalClaimed > each.voucher.maxClaimableAmount) revert MockBatchSettlement_AboveVoucher();
            if (each.totalClaimed > held.balance) revert MockBatchSettlement_AboveBalance();
            address signer = config.payerAuthorizer == address(0) ? config.payer : config.payerAuthorizer;
            bytes32 typeHash = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
            bytes32 digest = _digest(keccak256(abi.encode(typeHash, id, each.voucher.maxClaimableAmount)));
            if (!SignatureChecker.isValidSignatureNow(signer, digest, each.signature)) {
                revert MockBatchSettlement_BadSignature();
            }
            receivers[config.receiver][config.token].totalClaimed += each.totalClaimed - held.totalClaimed;
            held.totalClaimed = each.totalClaimed;
        }
    }

    function settle(address receiver, address token) external {
        Earned storage earned = receivers[receiver][token];
        uint128 amount = earned.totalClaimed - earned.totalSettled;
        if (amount == 0) return;
        earned.totalSettled = earned.totalClaimed;
        IERC20(token).safeTransfer(receiver, amount);
    }

    function refund(ChannelConfig calldata config, uint128 amount) external {
        _onlyReceiver(config);
        if (amount == 0) revert MockBatchSettlement_Zero();
        bytes32 id = getChannelId(config);
        refundNonce[id] += 1;
        uint128 returned = _capped(channels[id], amount);
        Withdrawal storage pending = pendingWithdrawals[id];
        if (returned >= pending.amount) delete pendingWithdrawals[id];
        else pending.amount -= returned;
        _return(config, id, returned);
    }

    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external {
        _onlyPayer(config);
        pendingWithdrawals[getChannelId(config)] = Withdrawal(amount, uint40(block.timestamp));
    }

    function finalizeWithdraw(ChannelConfig calldata config) external {
        _onlyPayer(config);
        bytes32 id = getChannelId(config);
        Withdrawal memory pending = pendingWithdrawals[id];
        if (pending.initiatedAt == 0) revert MockBatchSettlement_NoWithdrawal();
        if (block.timestamp < pending.initiatedAt + config.withdrawDelay) revert MockBatchSettlement_TooEarly();
        delete pendingWithdrawals[id];
        _return(config, id, _capped(channels[id], pending.amount));
    }

    function _return(ChannelConfig calldata config, bytes32 id, uint128 amount) private {
        channels[id].balance -= amount;
        IERC20(config.token).safeTransfer(config.payer, amount);
    }

    function _capped(Held memory held, uint128 amount) private pure returns (uint128) {
        uint128 free = held.balance - held.totalClaimed;
        return amount > free ? free : amount;
    }

    function _onlyReceiver(ChannelConfig calldata config) private view {
        if (msg.sender != config.receiver && msg.sender != config.receiverAuthorizer) {
            revert MockBatchSettlement_NotReceiver();
        }
    }

    function _onlyPayer(ChannelConfig calldata config) private view {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer) revert MockBatchSettlement_NotPayer();
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("x402 Batch Settlement"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }
}

/// @notice Brings deposits that were authorized by EIP-3009; the authorization's nonce names the channel.
contract MockErc3009Collector is IMockDepositCollector {
    using SafeERC20 for IERC20;

    address public constant ESCROW = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;

    error MockErc3009Collector_NotEscrow();

    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
    {
        if (msg.sender != ESCROW) revert MockErc3009Collector_NotEscrow();
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(collectorData, (uint256, uint256, uint256, bytes));
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        IERC3009(token).receiveWithAuthorization(payer, address(this), amount, validAfter, validBefore, nonce, signature);
        IERC20(token).safeTransfer(ESCROW, amount);
    }
}

/// @notice The one function of Multicall3 that x402's packages read through.
contract MockMulticall3 {
    struct Call {
        address target;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    error MockMulticall3_Failed(uint256 index);

    function tryAggregate(bool requireSuccess, Call[] calldata calls)
        external
        payable
        returns (Result[] memory results)
    {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory returnData) = calls[i].target.call(calls[i].callData);
            if (requireSuccess && !success) revert MockMulticall3_Failed(i);
            results[i] = Result(success, returnData);
        }
    }
}
