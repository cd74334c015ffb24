import { paymentChannelAbi } from "@clawcompute/lib/abi";
import { type ContractCall, streamPayWrites } from "@clawcompute/lib/chain";
import type { Address } from "viem";
import type { StreamEntry } from "@/queries/ledger.ts";
import type { Credit } from "@/queries/payee.ts";

const MOST_IDS = 500;
/** More accrues between the estimate and the block, which an estimate made in the opening second does not know. */
const BASE_GAS = 150_000n;
const GAS_PER_STREAM = 40_000n;

/**
 * Everything an account can collect, in few transactions: its own batch credits what all streams owe (the keeper's share comes back to
 * the sender), then each credit is withdrawn. One stream alone is withdrawn directly.
 */
export function planWithdrawal(
  account: Address,
  streams: readonly StreamEntry[],
  credits: readonly Credit[],
): { readonly calls: ContractCall[] } {
  const [only] = streams;
  if (only && streams.length === 1)
    return { calls: [streamPayWrites.withdrawFromStream(only.id), ...credits.map((credit) => collecting(credit, account))] };
  const calls: ContractCall[] = [];
  for (let from = 0; from < streams.length; from += MOST_IDS) {
    const part = streams.slice(from, from + MOST_IDS).map(({ id }) => id);
    calls.push({ ...streamPayWrites.batchUpdateStreams(part), gasFloor: BASE_GAS + GAS_PER_STREAM * BigInt(part.length) });
  }
  const credited = streams.map(({ asset }): Credit => ({ contract: "streamPay", asset, amount: 0n }));
  const distinct = new Map([...credited, ...credits].map((credit) => [`${credit.contract} ${credit.asset.toLowerCase()}`, credit]));
  return { calls: [...calls, ...[...distinct.values()].map((credit) => collecting(credit, account))] };
}

/** Takes a whole credit out of the contract that holds it. */
export function collecting({ contract, asset }: Omit<Credit, "amount">, to: Address): ContractCall {
  const call = streamPayWrites.withdrawCredit({ asset, to });
  return contract === "streamPay" ? call : { ...call, contract, abi: paymentChannelAbi };
}
