import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeAbiParameters, keccak256, zeroAddress } from "viem";

import { idOf, load, terms } from "./world.ts";

const types = ["address", "address", "address", "bytes32", "address", "address", "uint256"].map((type) => ({ type }));

describe("computeChannelId", () => {
  describe("when the terms are the same", () => {
    it("it is the draft's hash of terms, contract and chain", async () => {
      const w = await load();
      const t = terms(w);
      const expected = keccak256(
        encodeAbiParameters(types, [t.payer, t.payee, t.token, t.salt, t.authorizedSigner, w.channel.address, 31337n]),
      );
      assert.equal(await idOf(w.channel, t), expected);
    });
  });

  describe("when the terms differ in one place", () => {
    it("it is another id", async () => {
      const w = await load();
      const t = terms(w);
      const other = w.stranger.account.address;
      const changes = [
        { payer: other },
        { payee: other },
        { token: other },
        { salt: keccak256("0x03") },
        { authorizedSigner: other },
        { authorizedSigner: zeroAddress },
      ];
      const ids = [await idOf(w.channel, t), await idOf(w.faultyChannel, t)];
      for (const change of changes) ids.push(await idOf(w.channel, terms(w, { ...t, ...change })));
      assert.equal(new Set(ids).size, ids.length);
    });
  });
});
