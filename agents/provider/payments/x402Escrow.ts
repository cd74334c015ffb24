import type { ContractCall } from "@clawcompute/lib/chain";
import { BATCH_SETTLEMENT_ADDRESS } from "@x402/evm";
import { computeChannelId } from "@x402/evm/batch-settlement/client";
import { encodeFunctionData, type Hex, type PublicClient, parseAbi, zeroAddress, zeroHash } from "viem";
import type { AccountRow } from "./ledger.ts";

/** How long a payer who leaves without us has to wait: time enough to cash what it signed. */
export const WITHDRAW_DELAY_SECONDS = 3_600;

/** A channel in x402's escrow, as the chain has it. */
export interface ChannelState {
  readonly channelId: Hex;
  /** All deposits less what was returned. */
  readonly balance: bigint;
  /** Of it: the payee's. */
  readonly totalClaimed: bigint;
  /** Unix time; 0: the payer has not begun to leave. */
  readonly withdrawRequestedAt: number;
  readonly refundNonce: bigint;
}

// The packages send claims by a signature of the payee's; the payee itself needs none, and pays and returns in one transaction.
const abi = parseAbi([
  "struct ChannelConfig { address payer; address payerAuthorizer; address receiver; address receiverAuthorizer; address token; uint40 withdrawDelay; bytes32 salt; }",
  "struct Voucher { ChannelConfig channel; uint128 maxClaimableAmount; }",
  "struct VoucherClaim { Voucher voucher; bytes signature; uint128 totalClaimed; }",
  "function multicall(bytes[] data) returns (bytes[] results)",
  "function claim(VoucherClaim[] voucherClaims)",
  "function settle(address receiver, address token)",
  "function refund(ChannelConfig config, uint128 amount)",
  "function channels(bytes32) view returns (uint128 balance, uint128 totalClaimed)",
  "function pendingWithdrawals(bytes32) view returns (uint128 amount, uint40 initiatedAt)",
  "function refundNonce(bytes32) view returns (uint256)",
]);

/** The channel of an account, and what the chain says of it. */
export function configOf({ payer, payee, asset, salt, authorizedSigner }: AccountRow, chainId: number) {
  const config = {
    payer,
    payerAuthorizer: authorizedSigner ?? zeroAddress,
    receiver: payee,
    receiverAuthorizer: payee,
    token: asset,
    withdrawDelay: WITHDRAW_DELAY_SECONDS,
    salt: salt ?? zeroHash,
  };
  const channelId = computeChannelId(config, `eip155:${chainId}`).toLowerCase() as Hex;
  const read = async (client: PublicClient): Promise<ChannelState> => {
    const escrow = { address: BATCH_SETTLEMENT_ADDRESS, abi, args: [channelId] } as const;
    const [[balance, totalClaimed], [, withdrawRequestedAt], refundNonce] = await Promise.all([
      client.readContract({ ...escrow, functionName: "channels" }),
      client.readContract({ ...escrow, functionName: "pendingWithdrawals" }),
      client.readContract({ ...escrow, functionName: "refundNonce" }),
    ]);
    return { channelId, balance, totalClaimed, withdrawRequestedAt, refundNonce };
  };
  return { config, read };
}

/** Cashes what was spent, and returns the rest when asked to. Undefined: there is nothing to do. */
export function closingCall(
  row: AccountRow,
  spent: bigint,
  { balance, totalClaimed }: ChannelState,
  { refund }: { readonly refund: boolean },
): { readonly call: ContractCall; readonly returned: bigint; readonly facts: Readonly<Record<string, string>> } | undefined {
  const { config } = configOf(row, 0);
  const maxClaimableAmount = row.settled + row.accepted;
  // No more than was signed, and than is there.
  const total = [spent, maxClaimableAmount, balance].reduce((least, each) => (each < least ? each : least));
  const claimed = total > totalClaimed ? total : totalClaimed;
  const returned = refund ? balance - claimed : 0n;
  const claims = [{ voucher: { channel: config, maxClaimableAmount }, signature: row.voucherSignature as Hex, totalClaimed: total }];
  const calls: Hex[] = [
    ...(total > totalClaimed
      ? [
          encodeFunctionData({ abi, functionName: "claim", args: [claims] }),
          encodeFunctionData({ abi, functionName: "settle", args: [row.payee, row.asset] }),
        ]
      : []),
    ...(returned > 0n ? [encodeFunctionData({ abi, functionName: "refund", args: [config, returned] })] : []),
  ];
  if (calls.length === 0) return undefined;
  const call = { contract: BATCH_SETTLEMENT_ADDRESS, abi, functionName: "multicall", args: [calls] };
  return { call, returned, facts: { cashed: String(claimed - totalClaimed), returned: String(returned) } };
}
