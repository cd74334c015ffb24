import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { keccak256 } from "viem";

import { as, closed, load, opened } from "./world.ts";

describe("statusOf", () => {
  describe("given no channel has this id", () => {
    it("it is UNKNOWN", async () => {
      const w = await load();
      assert.equal(await w.channel.read.statusOf([keccak256("0x")]), 0);
    });
  });

  describe("given the channel is open", () => {
    it("it is OPEN", async () => {
      const w = await load();
      assert.equal(await w.channel.read.statusOf([(await opened(w, 5n)).id]), 1);
    });
  });

  describe("given a close was requested", () => {
    it("it is CLOSING", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await w.channel.write.requestClose([c.id], as(w.payer));
      assert.equal(await w.channel.read.statusOf([c.id]), 2);
    });
  });

  describe("given the channel is closed", () => {
    it("it is CLOSED", async () => {
      const w = await load();
      assert.equal(await w.channel.read.statusOf([(await closed(w, 5n)).id]), 3);
    });
  });
});
