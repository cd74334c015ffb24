import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ENDPOINT, inMarket, MODEL, U64 } from "./world.ts";

const updated = (id: bigint, pricePerSecond = 100n, active = true, endpoint = ENDPOINT) =>
  ["ProviderUpdated", { id, pricePerSecond, endpoint, active }] as const;

describe("updateProvider", () => {
  const market = inMarket();

  describe("given the provider was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      const m = market();
      for (const id of [0n, 1n]) await m.refuses(m.updating(id), "ComputeRegistry_UnknownProvider", [id]);
    });
  });

  describe("when the caller is not the owner", () => {
    it("it reverts with NotOwner", async () => {
      const m = market();
      const id = await m.register();
      for (const from of [m.other, m.streamPay]) await m.refuses(m.updating(id, { from }), "ComputeRegistry_NotOwner", [id, from, m.owner]);
    });
  });

  describe("when the price is zero or does not fit 64 bits", () => {
    it("it reverts with PriceOutOfRange", async () => {
      const m = market();
      const id = await m.register();
      for (const price of [0n, U64 + 1n]) {
        await m.refuses(m.updating(id, { price, active: false }), "ComputeRegistry_PriceOutOfRange", [price]);
      }
    });
  });

  describe("when the endpoint has no bytes or more than 256", () => {
    it("it reverts with EndpointLength", async () => {
      const m = market();
      const id = await m.register();
      await m.refuses(m.updating(id, { endpoint: "" }), "ComputeRegistry_EndpointLength", [0n]);
      await m.refuses(m.updating(id, { endpoint: "e".repeat(257) }), "ComputeRegistry_EndpointLength", [257n]);
    });
  });

  describe("given it is active", () => {
    describe("when it stays active", () => {
      it("it changes price, endpoint and rank, and nothing else", async () => {
        const m = market();
        const [dear, cheap] = [await m.register({ price: 200n }), await m.register({ price: 150n })];
        const before = await m.provider(dear);
        const endpoint = `${ENDPOINT}/a-much-longer-path-than-before`;
        m.chain.pass(5);
        await m.expect(m.updating(dear, { price: 100n, endpoint }), [updated(dear, 100n, true, endpoint)]);
        assert.deepEqual(await m.provider(dear), { ...before, pricePerSecond: 100n, endpoint });
        assert.deepEqual(await m.read("getProvidersByModel", [MODEL, 0n, 10n]), [dear, cheap]);
        assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [dear, 100n]);
        await m.expect(m.updating(dear, { price: 300n }), [updated(dear, 300n)]);
        assert.deepEqual(await m.read("getProvidersByModel", [MODEL, 0n, 10n]), [cheap, dear]);
        assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [cheap, 150n]);
        assert.deepEqual(await m.read("getRegistryStats"), [2n, 2n]);
      });
    });

    describe("when it is switched off", () => {
      it("it leaves every list of active providers", async () => {
        const m = market();
        const ids = [await m.register({ price: 1n }), await m.register({ price: 2n }), await m.register({ price: 3n })] as const;
        await m.expect(m.updating(ids[0], { price: 9n, active: false }), [updated(ids[0], 9n, false)]);
        assert.equal((await m.provider(ids[0])).active, false);
        assert.equal((await m.provider(ids[0])).pricePerSecond, 9n);
        assert.deepEqual(await m.read("getActiveProviderIds"), [ids[2], ids[1]]);
        assert.deepEqual(await m.read("getProvidersByModel", [MODEL, 0n, 10n]), [ids[1], ids[2]]);
        assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [ids[1], 2n]);
        assert.deepEqual(await m.read("getWalletProviders", [m.owner, 0n, 10n]), ids);
        assert.deepEqual(await m.read("getRegistryStats"), [3n, 2n]);
      });
    });

    describe("when the last one is switched off", () => {
      it("it leaves nothing behind", async () => {
        const m = market();
        const id = await m.register();
        await m.update(id, { active: false });
        assert.deepEqual(await m.read("getActiveProviderIds"), []);
        assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [0n, 0n]);
        assert.deepEqual(await m.read("getRegistryStats"), [1n, 0n]);
      });
    });

    describe("when one from the middle is switched off and others after it", () => {
      it("it keeps the places of those that moved", async () => {
        const m = market();
        for (let i = 0; i < 5; i++) await m.register();
        await m.update(2n, { active: false });
        assert.deepEqual(await m.read("getActiveProviderIds"), [1n, 5n, 3n, 4n]);
        await m.update(5n, { active: false });
        assert.deepEqual(await m.read("getActiveProviderIds"), [1n, 4n, 3n]);
        await m.update(4n, { active: false });
        assert.deepEqual(await m.read("getActiveProviderIds"), [1n, 3n]);
        assert.deepEqual(await m.read("getProvidersByModel", [MODEL, 0n, 10n]), [1n, 3n]);
      });
    });
  });

  describe("given it is inactive", () => {
    describe("when it stays inactive", () => {
      it("it changes its terms and stays off the lists", async () => {
        const m = market();
        const id = await m.register();
        await m.update(id, { active: false });
        await m.expect(m.updating(id, { price: 5n, active: false, endpoint: "x" }), [updated(id, 5n, false, "x")]);
        const { pricePerSecond, endpoint, active } = await m.provider(id);
        assert.deepEqual([pricePerSecond, endpoint, active], [5n, "x", false]);
        assert.deepEqual(await m.read("getRegistryStats"), [1n, 0n]);
      });
    });

    describe("when it is switched on", () => {
      it("it is listed at its new price", async () => {
        const m = market();
        const [id, rival] = [await m.register(), await m.register({ price: 50n })];
        await m.update(id, { active: false });
        await m.expect(m.updating(id, { price: 49n }), [updated(id, 49n)]);
        assert.deepEqual(await m.read("getActiveProviderIds"), [rival, id]);
        assert.deepEqual(await m.read("getProvidersByModel", [MODEL, 0n, 10n]), [id, rival]);
        assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [id, 49n]);
      });
    });
  });
});
