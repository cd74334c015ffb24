import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inMarket, type Market, MODEL } from "./world.ts";

const page = (m: Market, offset: bigint, limit: bigint) => m.read("getProvidersByModel", [MODEL, offset, limit]);

describe("getProvidersByModel", () => {
  const market = inMarket();

  describe("given no active provider of the model", () => {
    it("it is empty", async () => {
      const m = market();
      await m.register({ model: "other" });
      assert.deepEqual(await page(m, 0n, 10n), []);
    });
  });

  describe("given several providers", () => {
    it("it is sorted by price, the older first among equals", async () => {
      const m = market();
      for (const price of [30n, 10n, 20n, 10n, 5n]) await m.register({ price });
      assert.deepEqual(await page(m, 0n, 10n), [5n, 2n, 4n, 3n, 1n]);
    });
  });

  describe("when a page is asked for", () => {
    it("it is that part", async () => {
      const m = market();
      for (let price = 10n; price > 0n; price--) await m.register({ price });
      assert.deepEqual(await page(m, 0n, 3n), [10n, 9n, 8n]);
      assert.deepEqual(await page(m, 8n, 3n), [2n, 1n]);
      assert.deepEqual(await page(m, 9n, 1n), [1n]);
      assert.deepEqual(await page(m, 10n, 1n), []);
      assert.deepEqual(await page(m, 2n ** 256n - 1n, 1n), []);
      assert.deepEqual(await page(m, 7n, 2n ** 256n - 1n), [3n, 2n, 1n]);
      assert.deepEqual(await page(m, 3n, 0n), []);
    });
  });

  describe("given other models and assets", () => {
    it("it looks at this model and asset alone", async () => {
      const m = market();
      await m.register();
      await m.register({ model: "other" });
      await m.register({ asset: m.token.address });
      assert.deepEqual(await page(m, 0n, 10n), [1n]);
      assert.deepEqual(await m.read("getProvidersByModel", [MODEL, zeroAddress, 0n, 10n]), [1n]);
      assert.deepEqual(await m.read("getProvidersByModel", [MODEL, m.token.address, 0n, 10n]), [3n]);
    });
  });
});
