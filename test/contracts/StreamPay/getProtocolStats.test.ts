import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inAsset } from "./world.ts";

describe("getProtocolStats", () => {
  const world = inAsset("native coin");

  describe("given no stream was opened", () => {
    it("it is zero", async () => {
      assert.equal(await world().read("getProtocolStats"), 0n);
    });
  });

  describe("given streams were opened and closed", () => {
    it("it counts all that were ever opened, redirects included", async () => {
      const w = world();
      const id = await w.open();
      await w.open();
      await w.chain.send(w.call(w.parties.payer, "redirectStream", [id, w.parties.rival, 0n]));
      await w.chain.send(w.call(w.parties.payer, "cancelStream", [2n]));
      assert.equal(await w.read("getProtocolStats"), 3n);
    });
  });
});
