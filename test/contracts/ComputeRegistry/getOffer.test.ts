import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inMarket } from "./world.ts";

describe("getOffer", () => {
  const market = inMarket();

  describe("given the provider was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      await market().refusesRead("getOffer", [1n], "ComputeRegistry_UnknownProvider", [1n]);
    });
  });

  describe("given a provider in the native coin", () => {
    it("it shows the terms", async () => {
      const m = market();
      const id = await m.register({ price: 12n, serviceType: 3 });
      assert.deepEqual(await m.read("getOffer", [id]), [m.owner, 12n, true, 3, zeroAddress]);
      await m.update(id, { price: 13n, active: false });
      assert.deepEqual(await m.read("getOffer", [id]), [m.owner, 13n, false, 3, zeroAddress]);
    });
  });

  describe("given a provider in an ERC-20", () => {
    it("it shows the terms with the asset", async () => {
      const m = market();
      const id = await m.register({ price: 12n, asset: m.token.address, from: m.other });
      assert.deepEqual(await m.read("getOffer", [id]), [m.other, 12n, true, 0, m.token.address]);
    });
  });

  describe("given one provider in each", () => {
    it("it reads a slot less for the native coin", async () => {
      const m = market();
      const cost = async (id: bigint) => (await m.chain.send(m.call(m.stranger, "getOffer", [id]))).gasUsed;
      const [native, erc20] = [await m.register(), await m.register({ asset: m.token.address })];
      assert((await cost(erc20)) - (await cost(native)) > 2_000n);
    });
  });
});
