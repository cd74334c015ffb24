import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { hashTypedData, keccak256 } from "viem";

import { domain, voucherTypes } from "./signing.ts";
import { load } from "./world.ts";

describe("voucherDigest", () => {
  it("it is the EIP-712 digest of the draft's voucher", async () => {
    const w = await load();
    for (const cumulativeAmount of [0n, 1n, 2n ** 128n - 1n]) {
      const message = { channelId: keccak256("0x05"), cumulativeAmount };
      const expected = hashTypedData({ domain: domain(w.channel.address), types: voucherTypes, primaryType: "Voucher", message });
      assert.equal(await w.channel.read.voucherDigest([message.channelId, cumulativeAmount]), expected);
    }
    const [, name, version, chainId] = await w.channel.read.eip712Domain();
    assert.deepEqual([name, version, chainId], ["EVM Payment Channel", "1", 31337n]);
  });
});
