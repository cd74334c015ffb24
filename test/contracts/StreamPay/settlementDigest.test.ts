import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recoverAddress } from "viem";
import { inAsset, key } from "./world.ts";

describe("settlementDigest", () => {
  const world = inAsset("native coin");
  it("it is what wallets sign as typed data for this chain and contract", async () => {
    const w = world();
    for (const [id, owed] of [
      [1n, 0n],
      [2n ** 255n, 2n ** 256n - 1n],
    ] as const) {
      const hash = await w.read<`0x${string}`>("settlementDigest", [id, owed]);
      const signature = await w.sign(key(3), id, owed);
      assert.equal(await recoverAddress({ hash, signature }), key(3).address);
    }
  });
});
