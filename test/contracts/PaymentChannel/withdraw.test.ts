import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, keccak256 } from "viem";

import { voucher } from "./signing.ts";
import { as, closed, emits, GRACE, load, moves, networkHelpers, type Opened, opened, reverts, timestamp, type World } from "./world.ts";

const withdraw = (w: World, id: Hex, from = w.payer) => w.channel.write.withdraw([id], as(from));

/** Requests the closing and lets `seconds` pass until the next block. */
async function wait(w: World, c: Opened, seconds: bigint): Promise<bigint> {
  await w.channel.write.requestClose([c.id], as(w.payer));
  const requested = await timestamp();
  await networkHelpers.time.setNextBlockTimestamp(requested + seconds);
  return requested;
}

describe("withdraw", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const id = keccak256("0x");
      await reverts(w, withdraw(w, id), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 10n);
      await reverts(w, withdraw(w, c.id), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payer", () => {
    it("it reverts with NotPayer", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await w.channel.write.requestClose([c.id], as(w.payer));
      await networkHelpers.time.increase(GRACE);
      for (const caller of [w.payee, w.hot, w.stranger]) {
        await reverts(w, withdraw(w, c.id, caller), "PaymentChannel_NotPayer", [c.id, caller.account.address, c.terms.payer]);
      }
    });
  });

  describe("given no close was requested", () => {
    it("it reverts with CloseNotReady", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await networkHelpers.time.increase(10n * GRACE);
      await reverts(w, withdraw(w, c.id), "PaymentChannel_CloseNotReady", [c.id, 0n]);
    });
  });

  describe("given the grace period runs", () => {
    it("it reverts with CloseNotReady", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const requested = await wait(w, c, GRACE - 1n);
      await reverts(w, w.channel.write.withdraw([c.id], { account: w.payer.account, gas: 500_000n }), "PaymentChannel_CloseNotReady", [
        c.id,
        requested + GRACE,
      ]);
    });
  });

  describe("given the grace period is over", () => {
    describe("given nothing was settled", () => {
      it("it refunds the whole deposit and closes", async () => {
        const w = await load();
        await ends(w, await opened(w, 10n), 0n, 10n);
      });
    });

    describe("given a part was settled", () => {
      it("it refunds the rest and closes", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.settle([c.id, 4n, await voucher(w.channel.address, w.hot, c.id, 4n)], as(w.payee));
        await ends(w, c, 4n, 6n);
      });
    });

    describe("given all was settled", () => {
      it("it closes and moves nothing", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.settle([c.id, 10n, await voucher(w.channel.address, w.hot, c.id, 10n)], as(w.payee));
        await ends(w, c, 10n, 0n);
      });
    });
  });

  describe("given the payer cannot be paid", () => {
    it("it credits the payer and closes", async () => {
      const w = await load();
      const c = await opened(w, 10n, { token: w.blocklist.address });
      await w.blocklist.write.setBlocked([c.terms.payer, true]);
      await wait(w, c, GRACE);
      const hash = await w.channel.write.withdraw([c.id], { account: w.payer.account, gas: 500_000n });
      await emits(hash, w.channel, [
        ["ChannelClosed", { channelId: c.id, paid: 0n, settled: 0n, refunded: 10n }],
        ["CreditAdded", { account: c.terms.payer, asset: w.blocklist.address, amount: 10n }],
      ]);
      assert.equal(await w.channel.read.creditOf([c.terms.payer, w.blocklist.address]), 10n);
      assert.equal(await w.channel.read.statusOf([c.id]), 3);
    });
  });
});

/** Waits exactly the grace period, withdraws, and asserts events, balances, books and what stays recorded. */
async function ends(w: World, c: Opened, settled: bigint, refunded: bigint): Promise<void> {
  const closeRequestedAt = await wait(w, c, GRACE);
  const before = { payer: await w.dollar.balanceOf(c.terms.payer) };
  const hash = await w.channel.write.withdraw([c.id], { account: w.payer.account, gas: 500_000n });
  assert.equal(await timestamp(), closeRequestedAt + GRACE);
  assert.equal((await w.dollar.balanceOf(c.terms.payer)) - before.payer, refunded);
  await emits(hash, w.channel, [["ChannelClosed", { channelId: c.id, paid: 0n, settled, refunded }]]);
  const { salt: _, ...parties } = c.terms;
  assert.deepEqual(await w.channel.read.getChannel([c.id]), { ...parties, deposit: c.deposit, settled, closeRequestedAt, finalized: true });
  await moves(w, w.dollar, [], () => Promise.resolve(hash));
}
