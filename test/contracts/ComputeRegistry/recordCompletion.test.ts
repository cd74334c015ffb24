import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket, type Market, U128 } from "./world.ts";

const recording = (m: Market, id: bigint, earned: bigint, from = m.streamPay) => m.call(from, "recordCompletion", [id, earned]);
const COUNT = 1n;
const recorded = (id: bigint, earned: bigint, count = COUNT) => ["CompletionRecorded", { id, count, earned }] as const;

describe("recordCompletion", () => {
  const market = inMarket();

  describe("when the caller is not a payment contract", () => {
    it("it reverts with NotPaymentContract", async () => {
      const m = market();
      const id = await m.register();
      for (const from of [m.owner, m.stranger]) await m.refuses(recording(m, id, 1n, from), "ComputeRegistry_NotPaymentContract", [from]);
    });
  });

  describe("given the provider was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      const m = market();
      for (const id of [0n, 1n]) await m.refuses(recording(m, id, 1n), "ComputeRegistry_UnknownProvider", [id]);
    });
  });

  describe("when a payment contract calls", () => {
    it("it counts and sums, and nothing else changes", async () => {
      const m = market();
      await m.register();
      const id = await m.register();
      const before = await m.provider(id);
      await m.expect(recording(m, id, 70n), [recorded(id, 70n)]);
      await m.expect(recording(m, id, 5n, m.paymentChannel), [recorded(id, 5n)]);
      assert.deepEqual(await m.provider(id), { ...before, completions: COUNT * 2n, earned: 75n });
      const other = await m.provider(1n);
      assert.deepEqual([other.completions, other.earned], [0n, 0n]);
    });
  });

  describe("given the provider is inactive", () => {
    it("it counts all the same", async () => {
      const m = market();
      const id = await m.register();
      await m.update(id, { active: false });
      await m.expect(recording(m, id, 70n), [recorded(id, 70n)]);
      assert.equal((await m.provider(id)).earned, 70n);
    });
  });

  describe("when the sum would not fit", () => {
    it("it stays at the largest number", async () => {
      const m = market();
      const id = await m.register();
      await m.expect(recording(m, id, U128 - 1n), [recorded(id, U128 - 1n)]);
      assert.equal((await m.provider(id)).earned, U128 - 1n);
      await m.chain.send(recording(m, id, 1n));
      assert.equal((await m.provider(id)).earned, U128);
      await m.chain.send(recording(m, id, 1n));
      assert.equal((await m.provider(id)).earned, U128);
      await m.chain.send(recording(m, id, 2n ** 256n - 1n));
      assert.equal((await m.provider(id)).earned, U128);
    });
  });
});
