import type { Offer } from "@clawcompute/lib/chain";
import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { planCleanup } from "./planCleanup.ts";

const remote = "https://gpu.example.org/inference";
const local = "http://localhost:3001/inference";

function offer(id: number, part: Partial<Offer> = {}): Offer {
  const fixed = {
    owner: zeroAddress,
    signer: undefined,
    asset: zeroAddress,
    pricePerSecond: 1n,
    serviceType: 0,
    registeredAt: 0,
    completions: 0n,
    earned: 0n,
  };
  return { id, ...fixed, active: true, model: "m", endpoint: remote, ...part };
}

const outcome = (offers: Offer[], answers?: Map<number, boolean>) => {
  const { keep, deactivate } = planCleanup(offers, answers);
  return { keep: keep.map(({ id }) => id), deactivate: deactivate.map(({ offer, reason }) => [offer.id, reason]) };
};

describe("planCleanup", () => {
  it("behavior: the newest of several stays", () => {
    expect(outcome([offer(1), offer(2), offer(3)])).toEqual({
      keep: [3],
      deactivate: [
        [1, "duplicate"],
        [2, "duplicate"],
      ],
    });
  });

  it("behavior: a remote endpoint stays before a newer local one", () => {
    expect(outcome([offer(1), offer(2, { endpoint: local })])).toEqual({ keep: [1], deactivate: [[2, "local endpoint"]] });
  });

  it("behavior: one that answers stays before a newer one that does not", () => {
    const answers = new Map([
      [1, true],
      [2, false],
    ]);
    expect(outcome([offer(1), offer(2)], answers)).toEqual({ keep: [1], deactivate: [[2, "does not answer"]] });
  });

  it("behavior: the last one of a model always stays, however bad", () => {
    expect(outcome([offer(1, { endpoint: local })], new Map([[1, false]]))).toEqual({ keep: [1], deactivate: [] });
    expect(
      outcome(
        [offer(1), offer(2)],
        new Map([
          [1, false],
          [2, false],
        ]),
      ),
    ).toEqual({ keep: [2], deactivate: [[1, "does not answer"]] });
  });

  it("behavior: other models, assets and kinds of service are no duplicates; inactive ones are left alone", () => {
    const asset = "0x1111111111111111111111111111111111111111";
    const offers = [offer(1), offer(2, { model: "n" }), offer(3, { asset }), offer(4, { serviceType: 1 }), offer(5, { active: false })];
    expect(outcome(offers)).toEqual({ keep: [1, 2, 3, 4], deactivate: [] });
  });

  it("behavior: never deactivates all, whatever the offers are", () => {
    const endpoints = [remote, local, "not a url", "http://127.0.0.1:1"];
    for (let seed = 0; seed < 500; seed += 1) {
      const offers = Array.from({ length: 1 + (seed % 7) }, (_, index) =>
        offer(index + 1, { model: `m${(seed >> index) % 2}`, endpoint: endpoints[(seed + index) % 4] as string }),
      );
      const answers = new Map(offers.map(({ id }) => [id, (seed * id) % 3 === 0]));
      const { keep, deactivate } = planCleanup(offers, answers);
      expect(keep.map(({ model }) => model).sort()).toEqual([...new Set(offers.map(({ model }) => model))].sort());
      expect(keep.length + deactivate.length).toBe(offers.length);
    }
  });
});
