import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket } from "./world.ts";

describe("getProviders", () => {
  const market = inMarket();

  describe("when one was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      const m = market();
      await m.register();
      await m.refusesRead("getProviders", [[1n, 2n]], "ComputeRegistry_UnknownProvider", [2n]);
    });
  });

  describe("when all are known", () => {
    it("it shows each, in the order asked", async () => {
      const m = market();
      for (const price of [5n, 6n]) await m.register({ price });
      assert.deepEqual(await m.read("getProviders", [[2n, 1n, 2n]]), [await m.provider(2n), await m.provider(1n), await m.provider(2n)]);
      assert.deepEqual(await m.read("getProviders", [[]]), []);
    });
  });
});
