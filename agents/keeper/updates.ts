import { type Chain, streamEventsOf } from "@clawcompute/lib/chain";
import { type Address, type TransactionReceipt, zeroAddress } from "viem";

/** What a transaction did to streams, by its events alone. */
export interface Updates {
  readonly updated: number;
  readonly completed: number;
  /** In the native coin. */
  readonly rewardWei: bigint;
  /** In tokens, raw units. */
  readonly tokens: Readonly<Record<Address, bigint>>;
}

/** An update does not tell its asset; the payment that closes each run of them does. */
export function updatesOf(receipt: TransactionReceipt, chain: Chain): Updates {
  const tokens: Record<Address, bigint> = {};
  let [updated, completed, rewardWei, run] = [0, 0, 0n, 0n];
  for (const event of streamEventsOf(receipt, chain)) {
    if (event.eventName === "StreamUpdated") {
      updated += 1;
      if (event.args.completed) completed += 1;
      run += event.args.reward;
    } else if (event.eventName === "CreditAdded" && run > 0n) {
      const asset = event.args.asset.toLowerCase() as Address;
      if (asset === zeroAddress) rewardWei += run;
      else tokens[asset] = (tokens[asset] ?? 0n) + run;
      run = 0n;
    }
  }
  return { updated, completed, rewardWei, tokens };
}
