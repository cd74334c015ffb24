import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load } from "./world.ts";

describe("CLOSE_GRACE_PERIOD", () => {
  it("it is fifteen minutes, above the draft's ten", async () => {
    const w = await load();
    assert.equal(await w.channel.read.CLOSE_GRACE_PERIOD(), 900n);
  });
});
