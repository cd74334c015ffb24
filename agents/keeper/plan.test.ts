import { type Address, zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { type Candidate, nativeOnly, type PlanOptions, planBatches } from "./plan.ts";

const [alice, bob]: Address[] = ["0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222"];
const token: Address = "0x3333333333333333333333333333333333333333";

const options: PlanOptions = {
  gasPrice: 1n,
  gas: { base: 1000n, perPayment: 100n, perStream: 10n },
  maxBatch: 100,
  maxGas: 1_000_000n,
  minProfitWei: 0n,
  completeAtLoss: false,
  maxLossWei: 1_000_000n,
  worth: nativeOnly,
};

const candidate = (id: number, reward: number, part: Partial<Candidate> = {}): Candidate => ({
  id: BigInt(id),
  payee: alice as Address,
  asset: zeroAddress,
  providerId: 1,
  reward: BigInt(reward),
  completes: false,
  ...part,
});

describe("planBatches", () => {
  it("behavior: one profitable stream is a batch", () => {
    expect(planBatches([candidate(1, 2000)], options)).toEqual([{ ids: [1n], rewardWei: 2000n, costWei: 1110n, purpose: "profit" }]);
  });

  it("behavior: nothing, when the rewards do not pay the gas", () => {
    expect(planBatches([], options)).toEqual([]);
    expect(planBatches([candidate(1, 1109)], options)).toEqual([]);
    expect(planBatches([candidate(1, 1111)], { ...options, minProfitWei: 2n })).toEqual([]);
    expect(planBatches([candidate(1, 2000)], { ...options, gasPrice: 2n })).toEqual([]);
  });

  it("behavior: dust stays out of a batch that pays without it", () => {
    const [batch] = planBatches([candidate(1, 5000), candidate(2, 10), candidate(3, 11)], options);
    expect(batch?.ids).toEqual([1n, 3n]);
  });

  it("behavior: many small ones pay together what none would alone", () => {
    const small = Array.from({ length: 60 }, (_, index) => candidate(index + 1, 50));
    expect(planBatches(small.slice(0, 20), options)).toEqual([]);
    expect(planBatches(small, options)).toMatchObject([{ rewardWei: 3000n, costWei: 1700n }]);
  });

  it("behavior: streams of one payee stand together, and a payee that does not pay its own way stays out", () => {
    const batch = planBatches(
      [candidate(1, 900), candidate(2, 90, { payee: bob as Address }), candidate(3, 900), candidate(4, 500, { providerId: 2 })],
      options,
    );
    expect(batch.map(({ ids }) => ids)).toEqual([[1n, 3n, 4n]]);
  });

  it("behavior: best first, at most maxBatch in each, and a last one that does not pay is left out", () => {
    const many = Array.from({ length: 25 }, (_, index) => candidate(index + 1, 200 * (index + 1)));
    const batches = planBatches(many, { ...options, maxBatch: 10 });
    expect(batches.map(({ ids }) => ids.length)).toEqual([10, 10, 5]);
    expect(batches[0]?.ids[0]).toBe(25n);
    const rewards = batches.map(({ rewardWei }) => rewardWei);
    expect(rewards).toEqual([...rewards].sort((a, b) => Number(b - a)));
    const tail = [...many.slice(15), candidate(100, 20)];
    expect(planBatches(tail, { ...options, maxBatch: 10 }).map(({ ids }) => ids.length)).toEqual([10]);
  });

  it("behavior: an id counts once", () => {
    expect(planBatches([candidate(1, 2000), candidate(1, 2000)], options)).toMatchObject([{ ids: [1n], rewardWei: 2000n }]);
  });

  it("behavior: rewards in tokens count for nothing, unless it is told what the token is worth", () => {
    const reward = candidate(1, 1_000_000, { asset: token });
    expect(planBatches([reward], options)).toEqual([]);
    const worth = (asset: Address, raw: bigint) => (asset === token ? raw / 500n : raw);
    expect(planBatches([reward], { ...options, worth })).toMatchObject([{ ids: [1n], rewardWei: 2000n }]);
  });

  it("behavior: a batch keeps below the gas that a transaction may ask for", () => {
    const payees = Array.from({ length: 12 }, (_, index) =>
      candidate(index + 1, 5000, { payee: `0x${String(index).padStart(40, "0")}` as Address }),
    );
    const batches = planBatches(payees, { ...options, maxGas: 1000n + 5n * 110n });
    expect(batches.map(({ ids }) => ids.length)).toEqual([5, 5, 2]);
    expect(planBatches(payees, { ...options, maxGas: 0n }).map(({ ids }) => ids.length)).toEqual(payees.map(() => 1));
  });

  it("behavior: streams completed at a loss are as few as the loss allows", () => {
    const ended = Array.from({ length: 10 }, (_, index) => candidate(index + 1, 1, { completes: true }));
    const given = { ...options, completeAtLoss: true };
    expect(planBatches(ended, { ...given, maxLossWei: 1000n + 4n * 110n }).map(({ ids }) => ids.length)).toEqual([4, 4, 2]);
    expect(planBatches(ended, { ...given, maxLossWei: 500n })).toEqual([]);
  });

  it("behavior: a hundred thousand streams of one payee, or of as many, are planned in time that grows with their number", () => {
    const many = (payeeOf: (index: number) => Address) =>
      planBatches(
        Array.from({ length: 100_000 }, (_, index) => candidate(index + 1, 2000, { payee: payeeOf(index) })),
        { ...options, maxBatch: 500 },
      ).length;
    expect([many(() => bob as Address), many((index) => `0x${index.toString(16).padStart(40, "0")}`)]).toEqual([200, 200]);
  });

  it("behavior: ended streams are completed at a loss only when asked to, apart from paying ones and by asset", () => {
    const streams = [
      candidate(1, 5000, { completes: true }),
      candidate(2, 1, { completes: true }),
      candidate(3, 1),
      candidate(4, 7, { asset: token, completes: true }),
    ];
    expect(planBatches(streams, options).map(({ ids }) => ids)).toEqual([[1n]]);
    expect(planBatches(streams, { ...options, completeAtLoss: true })).toEqual([
      { ids: [1n], rewardWei: 5000n, costWei: 1110n, purpose: "profit" },
      { ids: [2n], rewardWei: 1n, costWei: 1110n, purpose: "complete" },
      { ids: [4n], rewardWei: 0n, costWei: 1110n, purpose: "complete" },
    ]);
  });

  it("behavior: whatever the streams, every paying batch pays, is small enough, and no id comes twice", () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 300; round += 1) {
      const candidates = Array.from({ length: random(60) }, () =>
        candidate(random(80), random(3000), {
          payee: (random(2) ? alice : bob) as Address,
          providerId: random(3),
          asset: random(5) ? zeroAddress : token,
          completes: random(2) === 1,
        }),
      );
      const given = { ...options, maxBatch: 1 + random(20), minProfitWei: BigInt(random(500)), completeAtLoss: random(2) === 1 };
      const batches = planBatches(candidates, given);
      const ids = batches.flatMap((batch) => batch.ids);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { ids, rewardWei, costWei, purpose } of batches) {
        expect(ids.length).toBeGreaterThan(0);
        expect(ids.length).toBeLessThanOrEqual(given.maxBatch);
        if (purpose === "profit") expect(rewardWei - costWei).toBeGreaterThanOrEqual(given.minProfitWei);
        else expect(given.completeAtLoss).toBe(true);
      }
    }
  });
});
