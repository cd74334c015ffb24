import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, keccak256, zeroAddress } from "viem";

import { permitOpen } from "./signing.ts";
import { as, emits, idOf, load, MAX_DEPOSIT, moves, opened, reverts, revertsIn, type Terms, terms, viem, type World } from "./world.ts";

const deadline = 2n ** 40n;

const sign = (w: World, t: Terms, amount: bigint, nonce = 1n) =>
  permitOpen(
    w,
    w.payer,
    { token: t.token, amount, nonce, deadline },
    { payee: t.payee, salt: t.salt, authorizedSigner: t.authorizedSigner },
  );

const open = (w: World, t: Terms, deposit: bigint, signature: Hex, nonce = 1n) =>
  w.channel.write.openWithPermit2(
    [t.payee, t.token, deposit, t.salt, t.authorizedSigner, t.payer, nonce, deadline, signature],
    as(w.relayer),
  );

const refused = (w: World, t: Terms, call: Promise<unknown>) =>
  revertsIn(w.permit2, call, "MockPermit2_BadSignature", [t.payer, (digest: string) => digest.length === 66]);

describe("openWithPermit2", () => {
  describe("when the asset is the native coin", () => {
    it("it reverts with NativeCoin", async () => {
      const w = await load();
      const t = terms(w, { token: zeroAddress });
      await reverts(w, open(w, t, 5n, await sign(w, t, 5n)), "PaymentChannel_NativeCoin", []);
    });
  });

  describe("when a relayer changes a term", () => {
    it("it reverts with Permit2's error", async () => {
      const w = await load();
      const t = terms(w);
      const signature = await sign(w, t, 5n);
      const changes: Partial<Terms>[] = [
        { payee: w.relayer.account.address },
        { token: w.usd6.address },
        { salt: keccak256("0xffff02") },
        { authorizedSigner: w.relayer.account.address },
        { payer: w.stranger.account.address },
      ];
      for (const change of changes) {
        const changed = terms(w, { ...t, ...change });
        await refused(w, changed, open(w, changed, 5n, signature));
      }
    });
  });

  describe("when a relayer changes the deposit", () => {
    it("it reverts with Permit2's error", async () => {
      const w = await load();
      const t = terms(w);
      await refused(w, t, open(w, t, 4n, await sign(w, t, 5n)));
    });
  });

  describe("when the terms are invalid", () => {
    it("it reverts as open does", async () => {
      const w = await load();
      await reverts(w, open(w, terms(w, { payee: zeroAddress }), 5n, "0x"), "PaymentChannel_ZeroPayee", []);
      await reverts(w, open(w, terms(w), 0n, "0x"), "PaymentChannel_ZeroDeposit", []);
      await reverts(w, open(w, terms(w), MAX_DEPOSIT + 1n, "0x"), "PaymentChannel_DepositOverflow", [MAX_DEPOSIT + 1n, MAX_DEPOSIT]);
    });
  });

  describe("given a channel of these terms exists", () => {
    it("it reverts with ChannelAlreadyExists", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await reverts(w, open(w, c.terms, 5n, await sign(w, c.terms, 5n)), "PaymentChannel_ChannelAlreadyExists", [c.id]);
    });
  });

  describe("when the token has no code", () => {
    it("it reverts", async () => {
      const w = await load();
      const t = terms(w, { token: w.stranger.account.address });
      await viem.assertions.revert(open(w, t, 5n, await sign(w, t, 5n)));
    });
  });

  describe("when the token delivers less than asked", () => {
    it("it reverts with DeliveredLess", async () => {
      const w = await load();
      const t = terms(w, { token: w.fee.address });
      await reverts(w, open(w, t, 1000n, await sign(w, t, 1000n)), "PaymentChannel_DeliveredLess", [990n, 1000n]);
    });
  });

  describe("when the permit is the payer's", () => {
    it("it opens the payer's channel at the relayer's cost", async () => {
      const w = await load();
      const t = terms(w);
      const id = await idOf(w.channel, t);
      const signature = await sign(w, t, 5n);
      const hash = await moves(
        w,
        w.dollar,
        [
          [t.payer, -5n],
          [w.relayer.account.address, 0n],
          [w.channel.address, 5n],
        ],
        () => open(w, t, 5n, signature),
      );
      await emits(hash, w.channel, [["ChannelOpened", { channelId: id, ...t, deposit: 5n }]]);
      assert.equal((await w.channel.read.getChannel([id])).payer, t.payer);
      await reverts(w, open(w, t, 5n, signature), "PaymentChannel_ChannelAlreadyExists", [id]);
    });
  });
});
