import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inMarket, type Market } from "./world.ts";

const setting = (m: Market, id: bigint, signer = m.stranger, from = m.owner) => m.call(from, "setProviderSigner", [id, signer]);

describe("setProviderSigner", () => {
  const market = inMarket();

  describe("given the provider was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      const m = market();
      await m.refuses(setting(m, 1n), "ComputeRegistry_UnknownProvider", [1n]);
    });
  });

  describe("when the caller is not the owner", () => {
    it("it reverts with NotOwner", async () => {
      const m = market();
      const id = await m.register();
      await m.chain.send(setting(m, id));
      for (const from of [m.other, m.stranger]) {
        await m.refuses(setting(m, id, from, from), "ComputeRegistry_NotOwner", [id, from, m.owner]);
      }
    });
  });

  describe("when a key is named", () => {
    it("it becomes the signer and nothing else changes", async () => {
      const m = market();
      const id = await m.register();
      const before = await m.provider(id);
      for (const signer of [m.stranger, m.other]) {
        await m.expect(setting(m, id, signer), [["ProviderSignerSet", { id, signer }]]);
        assert.equal(await m.read("getSigner", [id]), signer);
        assert.deepEqual(await m.provider(id), { ...before, signer });
      }
    });
  });

  describe("when zero is named", () => {
    it("it removes the signer", async () => {
      const m = market();
      const id = await m.register();
      await m.chain.send(setting(m, id));
      await m.expect(setting(m, id, zeroAddress), [["ProviderSignerSet", { id, signer: zeroAddress }]]);
      assert.equal(await m.read("getSigner", [id]), zeroAddress);
    });
  });
});
