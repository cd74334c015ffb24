import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const status = (w: World, id: bigint) => w.read<number>("statusOf", [id]);
const [UNKNOWN, ACTIVE, ENDED, CLOSED] = [0, 1, 2, 3];

describe("statusOf", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the id was never used", () => {
      it("it is UNKNOWN", async () => {
        const w = world();
        await w.open();
        for (const id of [0n, 2n, 2n ** 256n - 1n]) assert.equal(await status(w, id), UNKNOWN);
      });
    });

    describe("given the stream is not at its end", () => {
      it("it is ACTIVE", async () => {
        const w = world();
        const id = await w.open();
        assert.equal(await status(w, id), ACTIVE);
        w.chain.pass(999);
        assert.equal(await status(w, id), ACTIVE);
      });
    });

    describe("given the stream is at its end", () => {
      it("it is ENDED", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(1_000);
        assert.equal(await status(w, id), ENDED);
        w.chain.pass(1_000);
        assert.equal(await status(w, id), ENDED);
      });
    });

    describe("given everything was paid or credited", () => {
      it("it is CLOSED", async () => {
        const w = world();
        const id = await w.open();
        await w.open();
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
        assert.equal(await status(w, id), CLOSED);
      });
    });
  });
});
