import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { as, closed, load, opened } from "./world.ts";

describe("creditOf", () => {
  describe("given nothing was refused", () => {
    it("it is zero", async () => {
      const w = await load();
      const c = await closed(w, 5n);
      assert.equal(await w.channel.read.creditOf([c.terms.payer, c.terms.token]), 0n);
    });
  });

  describe("given payments were refused", () => {
    it("it is their sum for the account and asset alone", async () => {
      const w = await load();
      const asset = w.blocklist.address;
      for (const deposit of [5n, 6n]) {
        const c = await opened(w, deposit, { token: asset });
        await w.blocklist.write.setBlocked([c.terms.payer, true]);
        await w.channel.write.close([c.id, 0n, "0x"], as(w.payee));
        await w.blocklist.write.setBlocked([c.terms.payer, false]);
      }
      const { payer, payee } = { payer: w.payer.account.address, payee: w.payee.account.address };
      assert.deepEqual(
        [
          await w.channel.read.creditOf([payer, asset]),
          await w.channel.read.creditOf([payee, asset]),
          await w.channel.read.creditOf([payer, w.usd18.address]),
        ],
        [11n, 0n, 0n],
      );
    });
  });
});
