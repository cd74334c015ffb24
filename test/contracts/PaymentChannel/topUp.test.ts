import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hash, keccak256, zeroAddress } from "viem";

import { as, closed, emits, load, MAX_DEPOSIT, moves, opened, reverts, type World } from "./world.ts";

const topUp = (w: World, id: Hash, amount: bigint, value = 0n, from = w.payer) =>
  w.channel.write.topUp([id, amount], { account: from.account, value });

describe("topUp", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const id = keccak256("0x");
      await reverts(w, topUp(w, id, 1n), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 5n);
      await reverts(w, topUp(w, c.id, 1n), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payer", () => {
    it("it reverts with NotPayer", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      for (const caller of [w.payee, w.hot, w.stranger]) {
        const address = caller.account.address;
        await reverts(w, topUp(w, c.id, 1n, 0n, caller), "PaymentChannel_NotPayer", [c.id, address, c.terms.payer]);
      }
    });
  });

  describe("when nothing is added", () => {
    it("it reverts with ZeroDeposit", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await reverts(w, topUp(w, c.id, 0n), "PaymentChannel_ZeroDeposit", []);
    });
  });

  describe("when the total exceeds the maximum", () => {
    it("it reverts with DepositOverflow", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await reverts(w, topUp(w, c.id, MAX_DEPOSIT - 4n), "PaymentChannel_DepositOverflow", [MAX_DEPOSIT + 1n, MAX_DEPOSIT]);
      await reverts(w, topUp(w, c.id, 2n ** 128n - 1n), "PaymentChannel_DepositOverflow", [2n ** 128n + 4n, MAX_DEPOSIT]);
      await topUp(w, c.id, MAX_DEPOSIT - 5n);
      assert.equal((await w.channel.read.getChannel([c.id])).deposit, MAX_DEPOSIT);
    });
  });

  describe("when the asset is the native coin", () => {
    describe("when the value is not the amount", () => {
      it("it reverts with ValueMismatch", async () => {
        const w = await load();
        const c = await opened(w, 5n, { token: zeroAddress });
        await reverts(w, topUp(w, c.id, 3n, 2n), "PaymentChannel_ValueMismatch", [2n, 3n]);
        await reverts(w, topUp(w, c.id, 3n, 4n), "PaymentChannel_ValueMismatch", [4n, 3n]);
      });
    });

    describe("when the value is the amount", () => {
      it("it adds to the deposit", async () => {
        const w = await load();
        const c = await opened(w, 5n, { token: zeroAddress });
        const hash = await moves(
          w,
          w.native,
          [
            [c.terms.payer, -3n],
            [w.channel.address, 3n],
          ],
          () => topUp(w, c.id, 3n, 3n),
        );
        await emits(hash, w.channel, [["ChannelToppedUp", { channelId: c.id, by: c.terms.payer, amount: 3n, deposit: 8n }]]);
      });
    });
  });

  describe("when the asset is an ERC-20", () => {
    describe("when value is sent", () => {
      it("it reverts with ValueMismatch", async () => {
        const w = await load();
        const c = await opened(w, 5n);
        await reverts(w, topUp(w, c.id, 3n, 3n), "PaymentChannel_ValueMismatch", [3n, 0n]);
      });
    });

    describe("when the token delivers less than asked", () => {
      it("it reverts with DeliveredLess", async () => {
        const w = await load();
        // Below 100 units the token's fee rounds to nothing.
        const c = await opened(w, 99n, { token: w.fee.address });
        await reverts(w, topUp(w, c.id, 1000n), "PaymentChannel_DeliveredLess", [990n, 1000n]);
      });
    });

    describe("given a close was requested", () => {
      it("it adds to the deposit and withdraws the request", async () => {
        const w = await load();
        const c = await opened(w, 5n);
        await w.channel.write.requestClose([c.id], as(w.payer));
        const hash = await moves(
          w,
          w.dollar,
          [
            [c.terms.payer, -3n],
            [w.channel.address, 3n],
          ],
          () => topUp(w, c.id, 3n),
        );
        await emits(hash, w.channel, [
          ["ChannelToppedUp", { channelId: c.id, by: c.terms.payer, amount: 3n, deposit: 8n }],
          ["CloseRequestCancelled", { channelId: c.id }],
        ]);
        const { deposit, closeRequestedAt, finalized } = await w.channel.read.getChannel([c.id]);
        assert.deepEqual({ deposit, closeRequestedAt, finalized }, { deposit: 8n, closeRequestedAt: 0n, finalized: false });
        assert.equal(await w.channel.read.statusOf([c.id]), 1);
        await reverts(w, w.channel.write.withdraw([c.id], as(w.payer)), "PaymentChannel_CloseNotReady", [c.id, 0n]);
      });
    });

    describe("given no close was requested", () => {
      it("it adds to the deposit", async () => {
        const w = await load();
        const c = await opened(w, 5n);
        const hash = await moves(
          w,
          w.dollar,
          [
            [c.terms.payer, -3n],
            [w.channel.address, 3n],
          ],
          () => topUp(w, c.id, 3n),
        );
        await emits(hash, w.channel, [["ChannelToppedUp", { channelId: c.id, by: c.terms.payer, amount: 3n, deposit: 8n }]]);
        assert.equal((await w.channel.read.getChannel([c.id])).deposit, 8n);
      });
    });
  });
});
