import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket } from "./world.ts";

describe("constructor", () => {
  const market = inMarket();
  it("it fixes the two payment contracts and starts empty", async () => {
    const m = market();
    assert.equal(await m.read("streamPay"), m.streamPay);
    assert.equal(await m.read("paymentChannel"), m.paymentChannel);
    assert.deepEqual(await m.read("getRegistryStats"), [0n, 0n]);
  });
});
