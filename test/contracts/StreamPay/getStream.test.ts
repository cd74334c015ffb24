import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { shouldBehaveTheSameInEveryAsset } from "./world.ts";

const NONE = {
  payer: zeroAddress,
  payee: zeroAddress,
  asset: zeroAddress,
  ratePerSecond: 0n,
  start: 0,
  end: 0,
  lastPaid: 0,
  providerId: 0,
};

describe("getStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it is all zero", async () => {
        assert.deepEqual(await world().stream(1n), NONE);
      });
    });

    describe("given the stream is open", () => {
      it("it shows terms and state", async () => {
        const w = world();
        const providerId = await w.provide();
        const start = Number(w.chain.now);
        const id = await w.open({ providerId, duration: 500n });
        w.chain.pass(30);
        await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [id]));
        assert.deepEqual(await w.stream(id), {
          payer: w.parties.payer,
          payee: w.parties.payee,
          asset: w.asset,
          ratePerSecond: w.rate,
          start,
          end: start + 500,
          lastPaid: start + 30,
          providerId: Number(providerId),
        });
      });
    });

    describe("given the stream is closed", () => {
      it("it is all zero", async () => {
        const w = world();
        const id = await w.open();
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
        assert.deepEqual(await w.stream(id), NONE);
      });
    });
  });
});
