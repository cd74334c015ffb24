import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeAbiParameters, keccak256 } from "viem";

import { load, terms } from "./world.ts";

const types = [{ type: "address" }, { type: "address" }, { type: "address" }, { type: "bytes32" }, { type: "address" }] as const;

describe("openNonce", () => {
  it("it is the draft's hash of sender and terms", async () => {
    const w = await load();
    const t = terms(w);
    const args = [t.payer, t.payee, t.token, t.salt, t.authorizedSigner] as const;
    assert.equal(await w.channel.read.openNonce(args), keccak256(encodeAbiParameters(types, args)));
  });
});
