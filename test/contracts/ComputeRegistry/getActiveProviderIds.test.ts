import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket } from "./world.ts";

describe("getActiveProviderIds", () => {
  const market = inMarket();

  describe("given nobody is active", () => {
    it("it is empty", async () => {
      const m = market();
      assert.deepEqual(await m.read("getActiveProviderIds"), []);
      assert.deepEqual(await m.read("getActiveProviderIds", [0n, 10n]), []);
    });
  });

  describe("given some are active", () => {
    it("it is all of them, of every model and asset", async () => {
      const m = market();
      for (const offer of [{}, { model: "other" }, { asset: m.token.address }]) await m.register(offer);
      assert.deepEqual(await m.read("getActiveProviderIds"), [1n, 2n, 3n]);
    });
  });

  describe("when a page is asked for", () => {
    it("it is that part", async () => {
      const m = market();
      for (let i = 0; i < 10; i++) await m.register();
      const page = (offset: bigint, limit: bigint) => m.read("getActiveProviderIds", [offset, limit]);
      assert.deepEqual(await page(0n, 3n), [1n, 2n, 3n]);
      assert.deepEqual(await page(8n, 3n), [9n, 10n]);
      assert.deepEqual(await page(9n, 1n), [10n]);
      assert.deepEqual(await page(10n, 3n), []);
      assert.deepEqual(await page(2n ** 256n - 1n, 2n ** 256n - 1n), []);
      assert.deepEqual(await page(7n, 2n ** 256n - 1n), [8n, 9n, 10n]);
      assert.deepEqual(await page(3n, 0n), []);
    });
  });
});
