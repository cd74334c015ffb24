import { type Address, zeroAddress } from "viem";

/** A stream and what updating it now would bring. */
export interface Candidate {
  readonly id: bigint;
  readonly payee: Address;
  /** Zero: the native coin. */
  readonly asset: Address;
  readonly providerId: number;
  /** Raw units of `asset`. */
  readonly reward: bigint;
  readonly completes: boolean;
}

/** What a batch costs, in gas. Neighbours with the same payee, asset and provider share one payment. */
export interface GasModel {
  readonly base: bigint;
  readonly perPayment: bigint;
  readonly perStream: bigint;
}

/** Measured on StreamPay with a provider's completions, rounded up; the real estimate is made before a batch is sent. */
export const gasModel: GasModel = { base: 40_000n, perPayment: 24_000n, perStream: 11_000n };

export interface PlanOptions {
  /** Wei for a unit of gas. */
  readonly gasPrice: bigint;
  readonly gas: GasModel;
  readonly maxBatch: number;
  /** Most gas of one batch by the model. */
  readonly maxGas: bigint;
  readonly minProfitWei: bigint;
  readonly completeAtLoss: boolean;
  /** Most that a batch which only completes may lose. */
  readonly maxLossWei: bigint;
  /** What a reward is worth in wei. */
  readonly worth: (asset: Address, reward: bigint) => bigint;
}

export interface Batch {
  readonly ids: readonly bigint[];
  readonly rewardWei: bigint;
  readonly costWei: bigint;
  /** Sent for the reward, or only to complete what has ended. */
  readonly purpose: "profit" | "complete";
}

/** Only the native coin counts: gas is paid in it, and nobody here knows what a token is worth. */
export const nativeOnly = (asset: Address, reward: bigint): bigint => (asset === zeroAddress ? reward : 0n);

/**
 * The batches worth sending, best first. Streams that are completed at a loss travel alone and never with paying ones, so that a
 * token that burns gas spoils no profit.
 */
export function planBatches(candidates: readonly Candidate[], options: PlanOptions): Batch[] {
  const { gasPrice, gas, completeAtLoss, worth } = options;
  const share = gas.perStream * gasPrice;
  const distinct = new Map<bigint, Worthy>();
  for (const candidate of candidates) distinct.set(candidate.id, { ...candidate, worth: worth(candidate.asset, candidate.reward) });
  const groups = groupByPayment([...distinct.values()].filter((candidate) => candidate.worth > share))
    .map((streams) => ({ streams, net: netOf(streams, gas, gasPrice) }))
    .filter(({ net }) => net > 0n)
    .sort((a, b) => compare(b.net, a.net))
    .map(({ streams }) => streams);
  const paying = fill(groups, options, options.maxBatch)
    .map((batch) => batchOf(batch, options, "profit"))
    .filter(({ rewardWei, costWei }) => rewardWei > costWei && rewardWei - costWei >= options.minProfitWei);
  if (!completeAtLoss) return paying;

  for (const { ids } of paying) for (const id of ids) distinct.delete(id);
  const byAsset = new Map<Address, Worthy[]>();
  for (const candidate of distinct.values()) if (candidate.completes) push(byAsset, candidate.asset, candidate);
  const affordable = Math.min(options.maxBatch, streamsFor(options));
  if (affordable < 1) return paying;
  const completing = [...byAsset.values()].flatMap((same) =>
    fill(groupByPayment(same), options, affordable).map((batch) => batchOf(batch, options, "complete")),
  );
  return [...paying, ...completing];
}

/** Gas of a batch by the model. */
export function modelledGas(streams: readonly Omit<Candidate, "reward" | "completes">[], gas: GasModel): bigint {
  const payments = new Set(streams.map(paymentOf)).size;
  return gas.base + gas.perPayment * BigInt(payments) + gas.perStream * BigInt(streams.length);
}

type Worthy = Candidate & { readonly worth: bigint };
type Group = readonly Worthy[];

const paymentOf = ({ asset, payee, providerId }: Pick<Candidate, "asset" | "payee" | "providerId">) =>
  `${asset} ${payee} ${providerId}`.toLowerCase();

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

function groupByPayment(candidates: readonly Worthy[]): Group[] {
  const groups = new Map<string, Worthy[]>();
  for (const candidate of candidates) push(groups, paymentOf(candidate), candidate);
  return [...groups.values()].map((group) => group.sort((a, b) => compare(b.worth, a.worth) || compare(a.id, b.id)));
}

/** Packs groups in their order; one that does not fit goes on in the next batch. */
function fill(groups: readonly Group[], { gas, maxGas }: PlanOptions, maxBatch: number): Group[][] {
  const batches: Group[][] = [];
  let room = 0;
  let gasLeft = 0n;
  for (const group of groups) {
    for (let from = 0; from < group.length; ) {
      if (room === 0 || gasLeft < gas.perPayment + gas.perStream) {
        batches.push([]);
        room = maxBatch;
        gasLeft = maxGas - gas.base;
      }
      // A limit below one stream's gas is the chain's to refuse.
      const fits = Math.max(1, Math.min(room, Number((gasLeft - gas.perPayment) / gas.perStream)));
      const part = group.slice(from, from + fits);
      batches.at(-1)?.push(part);
      from += part.length;
      room -= part.length;
      gasLeft -= gas.perPayment + gas.perStream * BigInt(part.length);
    }
  }
  return batches;
}

/** How many streams, each paid apart, cost at most what a completing batch may lose. */
function streamsFor({ gas, gasPrice, maxLossWei }: PlanOptions): number {
  if (gasPrice === 0n) return Number.MAX_SAFE_INTEGER;
  return Number((maxLossWei / gasPrice - gas.base) / (gas.perPayment + gas.perStream));
}

function batchOf(groups: readonly Group[], { gas, gasPrice }: PlanOptions, purpose: Batch["purpose"]): Batch {
  const streams = groups.flat();
  const units = gas.base + gas.perPayment * BigInt(groups.length) + gas.perStream * BigInt(streams.length);
  return { ids: streams.map(({ id }) => id), rewardWei: worthOf(streams), costWei: units * gasPrice, purpose };
}

const worthOf = (group: Group) => group.reduce((sum, { worth }) => sum + worth, 0n);
const netOf = (group: Group, gas: GasModel, gasPrice: bigint) =>
  worthOf(group) - (gas.perPayment + gas.perStream * BigInt(group.length)) * gasPrice;
const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
