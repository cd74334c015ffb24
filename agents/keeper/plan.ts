import { type Address, zeroAddress } from "viem";

/** A stream as the chain previews its update. */
export interface Candidate {
  readonly id: bigint;
  readonly payee: Address;
  /** Zero: the native coin. */
  readonly asset: Address;
  readonly providerId: number;
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
export const gasModel: GasModel = { base: 30_000n, perPayment: 20_000n, perStream: 11_000n };

export interface PlanOptions {
  /** Wei for a unit of gas. */
  readonly gasPrice: bigint;
  readonly gas: GasModel;
  readonly maxBatch: number;
  readonly minProfitWei: bigint;
  readonly completeAtLoss: boolean;
}

export interface Batch {
  readonly ids: readonly bigint[];
  readonly rewardWei: bigint;
  readonly costWei: bigint;
  /** Sent for the reward, or only to complete what has ended. */
  readonly purpose: "profit" | "complete";
}

/**
 * The batches worth sending, best first. Only rewards in the native coin count, because gas is paid in it and nobody here knows
 * what a token is worth. Streams that are completed at a loss travel alone and never with paying ones, so that a token that
 * burns gas spoils no profit.
 */
export function planBatches(candidates: readonly Candidate[], options: PlanOptions): Batch[] {
  const { gasPrice, gas, completeAtLoss } = options;
  const distinct = [...new Map(candidates.map((candidate) => [candidate.id, candidate])).values()];
  const native = distinct.filter(({ asset, reward }) => asset === zeroAddress && reward > gas.perStream * gasPrice);
  const groups = groupByPayment(native).filter((group) => rewardOf(group) > gasOf([group], gas, false) * gasPrice);
  groups.sort((a, b) => compare(netOf(b, gas, gasPrice), netOf(a, gas, gasPrice)));
  const paying = fill(groups, options.maxBatch)
    .map((batch) => batchOf(batch, options, "profit"))
    .filter(({ rewardWei, costWei }) => rewardWei > costWei && rewardWei - costWei >= options.minProfitWei);
  if (!completeAtLoss) return paying;

  const taken = new Set(paying.flatMap(({ ids }) => ids));
  const ended = distinct.filter(({ id, completes }) => completes && !taken.has(id));
  const byAsset = new Map<Address, Candidate[]>();
  for (const candidate of ended) byAsset.set(candidate.asset, [...(byAsset.get(candidate.asset) ?? []), candidate]);
  const completing = [...byAsset.values()].flatMap((same) =>
    fill(groupByPayment(same), options.maxBatch).map((batch) => batchOf(batch, options, "complete")),
  );
  return [...paying, ...completing];
}

type Group = readonly Candidate[];

function groupByPayment(candidates: readonly Candidate[]): Group[] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = `${candidate.asset} ${candidate.payee} ${candidate.providerId}`.toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  return [...groups.values()].map((group) => group.sort((a, b) => compare(b.reward, a.reward) || compare(a.id, b.id)));
}

/** Packs groups in their order; one that does not fit goes on in the next batch. */
function fill(groups: readonly Group[], maxBatch: number): Group[][] {
  const batches: Group[][] = [];
  let room = 0;
  for (const group of groups) {
    for (let from = 0; from < group.length; ) {
      if (room === 0) {
        batches.push([]);
        room = maxBatch;
      }
      const part = group.slice(from, from + room);
      batches.at(-1)?.push(part);
      from += part.length;
      room -= part.length;
    }
  }
  return batches;
}

function batchOf(groups: readonly Group[], { gas, gasPrice }: PlanOptions, purpose: Batch["purpose"]): Batch {
  const streams = groups.flat();
  const rewardWei = rewardOf(streams.filter(({ asset }) => asset === zeroAddress));
  return { ids: streams.map(({ id }) => id), rewardWei, costWei: gasOf(groups, gas, true) * gasPrice, purpose };
}

function gasOf(groups: readonly Group[], gas: GasModel, withBase: boolean): bigint {
  const streams = groups.reduce((sum, group) => sum + group.length, 0);
  return (withBase ? gas.base : 0n) + gas.perPayment * BigInt(groups.length) + gas.perStream * BigInt(streams);
}

const rewardOf = (group: Group) => group.reduce((sum, { reward }) => sum + reward, 0n);
const netOf = (group: Group, gas: GasModel, gasPrice: bigint) => rewardOf(group) - gasOf([group], gas, false) * gasPrice;
const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
