import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const balance = (w: World, id: bigint) => w.read<bigint>("getCurrentBalance", [id]);

describe("getCurrentBalance", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it is zero", async () => {
        assert.equal(await balance(world(), 1n), 0n);
      });
    });

    describe("given the stream is open", () => {
      it("it grows by the rate each second, from the last payment to the end", async () => {
        const w = world();
        const id = await w.open();
        assert.equal(await balance(w, id), 0n);
        w.chain.pass(1);
        assert.equal(await balance(w, id), w.rate);
        w.chain.pass(99);
        assert.equal(await balance(w, id), w.rate * 100n);
        await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [id]));
        assert.equal(await balance(w, id), 0n);
        w.chain.pass(899);
        assert.equal(await balance(w, id), w.rate * 899n);
        w.chain.pass(1);
        assert.equal(await balance(w, id), w.rate * 900n);
        w.chain.pass(50);
        assert.equal(await balance(w, id), w.rate * 900n);
      });
    });

    describe("given the stream is closed", () => {
      it("it is zero", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(50);
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
        assert.equal(await balance(w, id), 0n);
      });
    });
  });
});
