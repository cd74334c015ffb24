import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket } from "./world.ts";

describe("getWalletProviders", () => {
  const market = inMarket();

  describe("given the wallet registered nothing", () => {
    it("it is empty", async () => {
      const m = market();
      await m.register();
      assert.deepEqual(await m.read("getWalletProviders", [m.other, 0n, 10n]), []);
    });
  });

  describe("given the wallet registered several", () => {
    it("it is a page of them, active or not, oldest first", async () => {
      const m = market();
      for (const from of [m.owner, m.other, m.owner, m.owner]) await m.register({ from });
      await m.update(1n, { active: false });
      assert.deepEqual(await m.read("getWalletProviders", [m.owner, 0n, 10n]), [1n, 3n, 4n]);
      assert.deepEqual(await m.read("getWalletProviders", [m.owner, 1n, 1n]), [3n]);
      assert.deepEqual(await m.read("getWalletProviders", [m.owner, 3n, 1n]), []);
    });
  });
});
