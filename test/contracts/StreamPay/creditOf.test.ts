import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { shouldBehaveTheSameInEveryAsset } from "./world.ts";

describe("creditOf", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given nothing was credited", () => {
      it("it is zero", async () => {
        assert.equal(await world().credit(world().parties.payee), 0n);
      });
    });

    describe("given something was credited", () => {
      it("it is the account's sum in that asset alone", async () => {
        const w = world();
        for (const seconds of [3n, 4n]) {
          const id = await w.open();
          w.chain.pass(seconds);
          await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
        }
        assert.equal(await w.credit(w.parties.payee), w.rate * 7n);
        assert.equal(await w.credit(w.parties.payer), 0n);
        assert.equal(await w.credit(w.parties.payee, w.native ? w.registry.address : zeroAddress), 0n);
      });
    });
  });
});
