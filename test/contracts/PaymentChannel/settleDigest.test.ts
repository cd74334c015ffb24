import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { hashTypedData, keccak256 } from "viem";

import { domain, payeeTypes } from "./signing.ts";
import { load } from "./world.ts";

describe("settleDigest", () => {
  it("it is the EIP-712 digest of the draft's SettleAuthorization", async () => {
    const w = await load();
    const message = { channelId: keccak256("0x05"), cumulativeAmount: 2n ** 127n, nonce: 2n ** 255n, deadline: 9n };
    const expected = hashTypedData({ domain: domain(w.channel.address), types: payeeTypes, primaryType: "SettleAuthorization", message });
    assert.equal(
      await w.channel.read.settleDigest([message.channelId, message.cumulativeAmount, message.nonce, message.deadline]),
      expected,
    );
  });
});
