import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket } from "./world.ts";

describe("getProvider", () => {
  const market = inMarket();

  describe("given the provider was never registered", () => {
    it("it reverts with UnknownProvider", async () => {
      const m = market();
      for (const id of [0n, 1n]) await m.refusesRead("getProvider", [id], "ComputeRegistry_UnknownProvider", [id]);
    });
  });

  describe("given a provider with a history", () => {
    it("it shows everything", async () => {
      const m = market();
      const registeredAt = Number(m.chain.now);
      const offer = { model: "whisper-large-v3", endpoint: "https://a.example", price: 12n, serviceType: 2, asset: m.token.address };
      const id = await m.register({ ...offer, from: m.other });
      m.chain.pass(50);
      await m.chain.send(m.call(m.other, "setProviderSigner", [id, m.stranger]));
      await m.chain.send(m.call(m.streamPay, "recordCompletion", [id, 99n]));
      await m.update(id, { price: 13n, endpoint: "https://b.example", active: false, from: m.other });
      assert.deepEqual(await m.provider(id), {
        owner: m.other,
        pricePerSecond: 13n,
        active: false,
        serviceType: 2,
        signer: m.stranger,
        registeredAt,
        completions: 1n,
        asset: m.token.address,
        earned: 99n,
        model: "whisper-large-v3",
        endpoint: "https://b.example",
      });
    });
  });
});
