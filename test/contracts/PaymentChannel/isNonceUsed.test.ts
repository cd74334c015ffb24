import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { payeeAuthorization, voucher } from "./signing.ts";
import { as, load, opened } from "./world.ts";

describe("isNonceUsed", () => {
  describe("given no authorization used the nonce", () => {
    it("it is false", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      for (const nonce of [0n, 255n, 256n, 2n ** 256n - 1n]) assert.equal(await w.channel.read.isNonceUsed([c.id, nonce]), false);
    });
  });

  describe("given an authorization used the nonce", () => {
    it("it is true for that nonce of that channel alone", async () => {
      const w = await load();
      const [c, other] = [await opened(w, 5n), await opened(w, 5n)];
      const message = { channelId: c.id, cumulativeAmount: 3n, nonce: 300n, deadline: 2n ** 40n };
      const authorization = await payeeAuthorization(w.channel.address, "SettleAuthorization", w.payee, message);
      const signature = await voucher(w.channel.address, w.hot, c.id, 3n);
      await w.channel.write.settleWithAuthorization([c.id, 3n, 300n, message.deadline, authorization, signature], as(w.relayer));
      assert.equal(await w.channel.read.isNonceUsed([c.id, 300n]), true);
      for (const nonce of [299n, 301n, 44n, 300n + 256n]) assert.equal(await w.channel.read.isNonceUsed([c.id, nonce]), false);
      assert.equal(await w.channel.read.isNonceUsed([other.id, 300n]), false);
    });
  });
});
