import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeAbiParameters, keccak256 } from "viem";

import { load } from "./world.ts";

const types = [{ type: "bytes32" }, { type: "uint128" }, { type: "address" }, { type: "bytes32" }] as const;

describe("topUpNonce", () => {
  it("it is the draft's hash of channel, amount, sender and salt", async () => {
    const w = await load();
    const args = [keccak256("0x05"), 2n ** 128n - 1n, w.stranger.account.address, keccak256("0x06")] as const;
    assert.equal(await w.channel.read.topUpNonce(args), keccak256(encodeAbiParameters(types, args)));
  });
});
