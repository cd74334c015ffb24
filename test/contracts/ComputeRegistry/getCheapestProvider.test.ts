import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inMarket, type Market, MODEL } from "./world.ts";

const cheapest = (m: Market, model = MODEL) => m.read("getCheapestProvider", [model]);

describe("getCheapestProvider", () => {
  const market = inMarket();

  describe("given no active provider of the model", () => {
    it("it is zero and zero", async () => {
      const m = market();
      await m.register({ model: `${MODEL}x` });
      assert.deepEqual(await cheapest(m), [0n, 0n]);
      assert.deepEqual(await cheapest(m, ""), [0n, 0n]);
    });
  });

  describe("given several providers", () => {
    it("it is the one with the lowest price", async () => {
      const m = market();
      for (const price of [30n, 10n, 20n]) await m.register({ price });
      assert.deepEqual(await cheapest(m), [2n, 10n]);
    });
  });

  describe("given equal prices", () => {
    it("it is the oldest", async () => {
      const m = market();
      for (let i = 0; i < 3; i++) await m.register({ price: 10n });
      assert.deepEqual(await cheapest(m), [1n, 10n]);
      await m.update(1n, { price: 10n, active: false });
      assert.deepEqual(await cheapest(m), [2n, 10n]);
      await m.update(1n, { price: 10n });
      assert.deepEqual(await cheapest(m), [1n, 10n]);
    });
  });

  describe("given the cheapest goes", () => {
    it("it is the next", async () => {
      const m = market();
      for (const price of [3n, 1n, 2n]) await m.register({ price });
      await m.update(2n, { active: false });
      assert.deepEqual(await cheapest(m), [3n, 2n]);
      await m.update(3n, { price: 4n });
      assert.deepEqual(await cheapest(m), [1n, 3n]);
    });
  });

  describe("given a dearer one goes", () => {
    it("it stays", async () => {
      const m = market();
      for (const price of [3n, 1n, 2n]) await m.register({ price });
      await m.update(1n, { active: false });
      assert.deepEqual(await cheapest(m), [2n, 1n]);
    });
  });

  describe("given other models and assets", () => {
    it("it looks at this model and asset alone", async () => {
      const m = market();
      await m.register({ price: 5n });
      await m.register({ price: 1n, model: "other" });
      await m.register({ price: 2n, asset: m.token.address });
      assert.deepEqual(await cheapest(m), [1n, 5n]);
      assert.deepEqual(await m.read("getCheapestProvider", [MODEL, zeroAddress]), [1n, 5n]);
      assert.deepEqual(await m.read("getCheapestProvider", [MODEL, m.token.address]), [3n, 2n]);
      assert.deepEqual(await m.read("getCheapestProvider", ["other", m.token.address]), [0n, 0n]);
    });
  });

  describe("given many providers", () => {
    it("it costs what it costs with one", async () => {
      const m = market();
      const cost = async () => (await m.chain.send(m.call(m.stranger, "getCheapestProvider", [MODEL]))).gasUsed;
      await m.register({ price: 1_000n });
      const few = await cost();
      for (let i = 0n; i < 200n; i++) await m.register({ price: 1_000n + ((i * 7_919n) % 501n) });
      assert.equal(await cost(), few);
    });
  });
});
