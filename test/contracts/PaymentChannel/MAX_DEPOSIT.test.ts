import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load } from "./world.ts";

describe("MAX_DEPOSIT", () => {
  it("it is the largest number of 88 bits", async () => {
    const w = await load();
    assert.equal(await w.channel.read.MAX_DEPOSIT(), 2n ** 88n - 1n);
  });
});
