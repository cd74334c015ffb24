import { zeroAddress } from "viem";
import type { Candidate } from "@/queries/keeper.ts";

/** One transaction takes this many at most. */
export const MOST_IDS = 500;

/** Rounded up from what StreamPay takes for one more stream of a batch; the real estimate is made for the chosen ones. */
const GAS_PER_STREAM = 31_000n;

/** The streams whose reward pays the gas that they add. Only the native coin counts: nobody here knows what a token is worth. */
export function paying(candidates: readonly Candidate[], gasPrice: bigint): ReadonlySet<bigint> {
  const worth = candidates.filter(({ asset, reward }) => asset === zeroAddress && reward > GAS_PER_STREAM * gasPrice);
  const best = worth.toSorted((a, b) => (a.reward < b.reward ? 1 : -1)).slice(0, MOST_IDS);
  return new Set(best.map(({ id }) => id));
}

/** In the order that costs least gas: neighbours with the same payee are paid together. */
export function batchOf(candidates: readonly Candidate[], chosen: ReadonlySet<bigint>): bigint[] {
  const group = ({ asset, payee, providerId }: Candidate) => `${asset} ${payee} ${providerId}`.toLowerCase();
  return candidates
    .filter(({ id }) => chosen.has(id))
    .toSorted((a, b) => (group(a) < group(b) ? -1 : group(a) > group(b) ? 1 : a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}
