import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inAsset } from "./world.ts";

describe("constructor", () => {
  const world = inAsset("native coin");
  it("it fixes the registry, the limits, the keeper's share and the signing domain", async () => {
    const w = world();
    assert.equal(await w.read("registry"), w.registry.address);
    assert.equal(await w.read("MAX_DURATION"), 365n * 86_400n);
    assert.equal(await w.read("MAX_BATCH"), 500n);
    assert.equal(await w.read("KEEPER_BASIS_POINTS"), 10n);
    assert.equal(await w.read("getProtocolStats"), 0n);
    const [, name, version, chainId, contract] = await w.read<unknown[]>("eip712Domain");
    assert.deepEqual([name, version, chainId, contract], ["ClawCompute StreamPay", "1", 31337n, w.streamPay.address]);
  });
});
