import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keccak256, toHex, zeroAddress } from "viem";
import { ENDPOINT, inMarket, type Market, MODEL, type Offer, U64 } from "./world.ts";

const registered = (
  m: Market,
  id: bigint,
  { model = MODEL, price = 100n, endpoint = ENDPOINT, serviceType = 0, asset, from }: Offer = {},
) =>
  [
    "ProviderRegistered",
    {
      id,
      owner: from ?? m.owner,
      modelHash: keccak256(toHex(model)),
      model,
      asset: asset ?? zeroAddress,
      pricePerSecond: price,
      endpoint,
      serviceType,
    },
  ] as const;

describe("registerProvider", () => {
  const market = inMarket();

  describe("when the model has no bytes or more than 64", () => {
    it("it reverts with ModelLength", async () => {
      const m = market();
      await m.refuses(m.registering({ model: "" }), "ComputeRegistry_ModelLength", [0n]);
      await m.refuses(m.registering({ model: "é".repeat(33) }), "ComputeRegistry_ModelLength", [66n]);
      await m.refuses(m.registering({ model: "m".repeat(65) }), "ComputeRegistry_ModelLength", [65n]);
    });
  });

  describe("when the endpoint has no bytes or more than 256", () => {
    it("it reverts with EndpointLength", async () => {
      const m = market();
      await m.refuses(m.registering({ endpoint: "" }), "ComputeRegistry_EndpointLength", [0n]);
      await m.refuses(m.registering({ endpoint: "e".repeat(257) }), "ComputeRegistry_EndpointLength", [257n]);
    });
  });

  describe("when the price is zero or does not fit 64 bits", () => {
    it("it reverts with PriceOutOfRange", async () => {
      const m = market();
      for (const price of [0n, U64 + 1n, 2n ** 256n - 1n]) {
        await m.refuses(m.registering({ price }), "ComputeRegistry_PriceOutOfRange", [price]);
      }
    });
  });

  describe("when the service type is above 3", () => {
    it("it reverts with UnknownServiceType", async () => {
      const m = market();
      await m.refuses(m.registering({ serviceType: 4 }), "ComputeRegistry_UnknownServiceType", [4n]);
      await m.refuses(m.registering({ serviceType: 255 }), "ComputeRegistry_UnknownServiceType", [255n]);
    });
  });

  describe("when the asset has no code", () => {
    it("it reverts with AssetNotContract", async () => {
      const m = market();
      await m.refuses(m.registering({ asset: m.stranger }), "ComputeRegistry_AssetNotContract", [m.stranger]);
    });
  });

  describe("when everything is at its lower bound", () => {
    it("it registers", async () => {
      const m = market();
      const offer = { model: "m", endpoint: "e", price: 1n };
      await m.expect(m.registering(offer), [registered(m, 1n, offer)]);
    });
  });

  describe("when everything is at its upper bound", () => {
    it("it registers", async () => {
      const m = market();
      const offer = { model: "m".repeat(64), endpoint: "e".repeat(256), price: U64, serviceType: 3 };
      await m.expect(m.registering(offer), [registered(m, 1n, offer)]);
      const { model, endpoint, pricePerSecond } = await m.provider(1n);
      assert.deepEqual([model, endpoint, pricePerSecond], [offer.model, offer.endpoint, U64]);
      assert.deepEqual(await m.read("getCheapestProvider", [offer.model]), [1n, U64]);
    });
  });

  describe("when the asset is an ERC-20", () => {
    it("it registers an offer in that asset alone", async () => {
      const m = market();
      const offer = { asset: m.token.address, serviceType: 2 };
      await m.expect(m.registering(offer), [registered(m, 1n, offer)]);
      assert.equal((await m.provider(1n)).asset, m.token.address);
      assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [0n, 0n]);
      assert.deepEqual(await m.read("getCheapestProvider", [MODEL, m.token.address]), [1n, 100n]);
    });
  });

  describe("when the asset is named as zero", () => {
    it("it registers an offer in the native coin", async () => {
      const m = market();
      await m.expect(m.registering({ asset: zeroAddress }), [registered(m, 1n)]);
      assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [1n, 100n]);
    });
  });

  describe("when a wallet registers several offers", () => {
    it("it gives each the next id and lists them all", async () => {
      const m = market();
      for (const id of [1n, 2n, 3n]) await m.expect(m.registering(), [registered(m, id)]);
      await m.expect(m.registering({ from: m.other, price: 7n }), [registered(m, 4n, { from: m.other, price: 7n })]);
      assert.deepEqual(await m.provider(4n), {
        owner: m.other,
        pricePerSecond: 7n,
        active: true,
        serviceType: 0,
        signer: zeroAddress,
        registeredAt: Number(m.chain.now),
        completions: 0n,
        asset: zeroAddress,
        earned: 0n,
        model: MODEL,
        endpoint: ENDPOINT,
      });
      assert.deepEqual(await m.read("getWalletProviders", [m.owner, 0n, 10n]), [1n, 2n, 3n]);
      assert.deepEqual(await m.read("getWalletProviders", [m.other, 0n, 10n]), [4n]);
      assert.deepEqual(await m.read("getActiveProviderIds"), [1n, 2n, 3n, 4n]);
      assert.deepEqual(await m.read("getRegistryStats"), [4n, 4n]);
    });
  });
});
