import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inMarket } from "./world.ts";

describe("getSigner", () => {
  const market = inMarket();

  describe("given the provider was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      await market().refusesRead("getSigner", [1n], "ComputeRegistry_UnknownProvider", [1n]);
    });
  });

  describe("given none was appointed", () => {
    it("it is zero", async () => {
      const m = market();
      assert.equal(await m.read("getSigner", [await m.register()]), zeroAddress);
    });
  });

  describe("given one was appointed", () => {
    it("it is that key", async () => {
      const m = market();
      const id = await m.register();
      await m.chain.send(m.call(m.owner, "setProviderSigner", [id, m.stranger]));
      assert.equal(await m.read("getSigner", [id]), m.stranger);
    });
  });
});
