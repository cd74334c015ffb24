import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inAsset } from "./world.ts";

describe("receive", () => {
  const world = inAsset("native coin");

  describe("when coin is sent without a call", () => {
    it("it reverts with DirectTransfer", async () => {
      const w = world();
      await assert.rejects(w.chain.transfer(w.parties.payer, w.streamPay.address, 1n), { errorName: "StreamPay_DirectTransfer", args: [] });
    });
  });

  describe("when an unknown function is called", () => {
    it("it reverts", async () => {
      const w = world();
      await assert.rejects(w.chain.transfer(w.parties.payer, w.streamPay.address, 0n, "0xdeadbeef"), { errorName: "nothing" });
    });
  });
});
