import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load } from "./world.ts";

describe("PERMIT2", () => {
  it("it is the canonical deployment", async () => {
    const w = await load();
    assert.equal(await w.channel.read.PERMIT2(), "0x000000000022D473030F116dDEE9F6B43aC78BA3");
  });
});
