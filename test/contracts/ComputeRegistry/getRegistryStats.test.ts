import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket } from "./world.ts";

describe("getRegistryStats", () => {
  const market = inMarket();
  it("it counts all that were registered and those that are active", async () => {
    const m = market();
    for (let i = 0; i < 3; i++) await m.register();
    await m.update(2n, { active: false });
    assert.deepEqual(await m.read("getRegistryStats"), [3n, 2n]);
    await m.update(2n, { active: true });
    assert.deepEqual(await m.read("getRegistryStats"), [3n, 3n]);
  });
});
