import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { decodeErrorResult, encodeFunctionData, type Hex, keccak256 } from "viem";

import { voucher } from "./signing.ts";
import { as, closed, emits, load, moves, type Opened, opened, provider, reverts, type World } from "./world.ts";

const sign = (w: World, c: { id: Hex }, amount: bigint, signer = w.hot) => voucher(w.channel.address, signer, c.id, amount);
const close = (w: World, c: { id: Hex }, amount: bigint, signature: Hex, from = w.payee) =>
  w.channel.write.close([c.id, amount, signature], as(from));

describe("close", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const id = keccak256("0x");
      await reverts(w, close(w, { id }, 0n, "0x"), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 10n);
      await reverts(w, close(w, c, 0n, "0x"), "PaymentChannel_ChannelFinalized", [c.id]);
      await reverts(w, close(w, c, 4n, await sign(w, c, 4n)), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payee", () => {
    it("it reverts with NotPayee", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      for (const caller of [w.payer, w.hot, w.stranger]) {
        await reverts(w, close(w, c, 0n, "0x", caller), "PaymentChannel_NotPayee", [c.id, caller.account.address, c.terms.payee]);
      }
    });
  });

  describe("when the voucher is above the deposit", () => {
    it("it reverts with AmountExceedsDeposit", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, close(w, c, 11n, await sign(w, c, 11n)), "PaymentChannel_AmountExceedsDeposit", [c.id, 11n, 10n]);
    });
  });

  describe("when the signature is not the signer's", () => {
    it("it reverts with InvalidSignature", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const digest = await w.channel.read.voucherDigest([c.id, 1n]);
      for (const signature of [await sign(w, c, 1n, w.payer), await sign(w, c, 2n), "0x" as Hex]) {
        await reverts(w, close(w, c, 1n, signature), "PaymentChannel_InvalidSignature", [w.hot.account.address, digest]);
      }
    });
  });

  describe("when the amount is not above what is settled", () => {
    describe("given nothing was settled", () => {
      it("it refunds the whole deposit without a signature", async () => {
        const w = await load();
        await ends(w, await opened(w, 10n), { voucher: 0n, signature: "0x", paid: 0n, settled: 0n, refunded: 10n });
      });
    });

    describe("given a part was settled", () => {
      it("it refunds the rest without a signature", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.settle([c.id, 4n, await sign(w, c, 4n)], as(w.payee));
        await ends(w, c, { voucher: 4n, signature: "0x", paid: 0n, settled: 4n, refunded: 6n });
      });
    });

    describe("given all was settled", () => {
      it("it closes and moves nothing", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.settle([c.id, 10n, await sign(w, c, 10n)], as(w.payee));
        await ends(w, c, { voucher: 3n, signature: "0x", paid: 0n, settled: 10n, refunded: 0n });
        // Who is owed nothing is not even called: nothing can be refused, nothing is credited.
        const blocked = await opened(w, 10n, { token: w.blocklist.address });
        await w.channel.write.settle([blocked.id, 10n, await sign(w, blocked, 10n)], as(w.payee));
        for (const account of [blocked.terms.payer, blocked.terms.payee]) await w.blocklist.write.setBlocked([account, true]);
        await emits(await close(w, blocked, 0n, "0x"), w.channel, [
          ["ChannelClosed", { channelId: blocked.id, paid: 0n, settled: 10n, refunded: 0n }],
        ]);
      });
    });
  });

  describe("when the voucher is good", () => {
    describe("when it is below the deposit", () => {
      it("it pays the voucher and refunds the rest", async () => {
        const w = await load();
        await ends(w, await opened(w, 10n), { voucher: 4n, paid: 4n, settled: 4n, refunded: 6n });
      });
    });

    describe("when it is the whole deposit", () => {
      it("it pays all and refunds nothing", async () => {
        const w = await load();
        await ends(w, await opened(w, 10n), { voucher: 10n, paid: 10n, settled: 10n, refunded: 0n });
      });
    });

    describe("given a part was settled", () => {
      it("it pays what the voucher adds and refunds the rest", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.settle([c.id, 4n, await sign(w, c, 4n)], as(w.payee));
        await ends(w, c, { voucher: 5n, paid: 1n, settled: 5n, refunded: 5n });
      });
    });

    describe("given a close was requested", () => {
      it("it pays the voucher and refunds the rest", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.requestClose([c.id], as(w.payer));
        await ends(w, c, { voucher: 4n, paid: 4n, settled: 4n, refunded: 6n });
        await reverts(w, w.channel.write.withdraw([c.id], as(w.payer)), "PaymentChannel_ChannelFinalized", [c.id]);
      });
    });
  });

  describe("given the payer cannot be paid", () => {
    it("it credits the payer and pays the payee", async () => {
      const w = await load();
      const c = await opened(w, 10n, { token: w.blocklist.address });
      await w.blocklist.write.setBlocked([c.terms.payer, true]);
      const hash = await close(w, c, 4n, await sign(w, c, 4n));
      await emits(hash, w.channel, [
        ["ChannelClosed", { channelId: c.id, paid: 4n, settled: 4n, refunded: 6n }],
        ["CreditAdded", { account: c.terms.payer, asset: w.blocklist.address, amount: 6n }],
      ]);
      assert.equal(await w.blocklist.read.balanceOf([c.terms.payee]), 4n);
      assert.equal(await w.channel.read.creditOf([c.terms.payer, w.blocklist.address]), 6n);
      assert.equal(await w.blocklist.read.balanceOf([w.channel.address]), 6n);
    });
  });

  describe("given the payee cannot be paid", () => {
    it("it credits the payee and refunds the payer", async () => {
      const w = await load();
      const c = await opened(w, 10n, { token: w.blocklist.address });
      const before = await w.blocklist.read.balanceOf([c.terms.payer]);
      await w.blocklist.write.setBlocked([c.terms.payee, true]);
      const hash = await close(w, c, 4n, await sign(w, c, 4n));
      await emits(hash, w.channel, [
        ["ChannelClosed", { channelId: c.id, paid: 4n, settled: 4n, refunded: 6n }],
        ["CreditAdded", { account: c.terms.payee, asset: w.blocklist.address, amount: 4n }],
      ]);
      assert.equal((await w.blocklist.read.balanceOf([c.terms.payer])) - before, 6n);
      assert.equal(await w.blocklist.read.balanceOf([w.channel.address]), 4n);
    });
  });

  describe("when too little gas is left to pay", () => {
    it("it reverts with GasTooLow", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const data = encodeFunctionData({ abi: w.channel.abi, functionName: "close", args: [c.id, 4n, await sign(w, c, 4n)] });
      const failure = await provider
        .request({ method: "eth_call", params: [{ from: c.terms.payee, to: w.channel.address, data, gas: "0x3d090" }, "latest"] })
        .then(
          () => assert.fail("the call should revert"),
          (error: { data: Hex }) => error,
        );
      const { errorName, args } = decodeErrorResult({ abi: w.channel.abi, data: failure.data });
      assert.equal(errorName, "PaymentChannel_GasTooLow");
      const [left, required] = args as [bigint, bigint];
      assert.equal(required, 250_000n);
      assert(left > 0n && left < required);
    });
  });
});

/** Closes, and asserts events, balances, books and what stays recorded. */
async function ends(
  w: World,
  c: Opened,
  how: { voucher: bigint; signature?: Hex; paid: bigint; settled: bigint; refunded: bigint },
): Promise<void> {
  const signature = how.signature ?? (await sign(w, c, how.voucher));
  const before = await w.channel.read.getChannel([c.id]);
  const { paid, settled, refunded } = how;
  const hash = await moves(
    w,
    w.dollar,
    [
      [c.terms.payee, paid],
      [c.terms.payer, refunded],
      [w.channel.address, -paid - refunded],
    ],
    () => close(w, c, how.voucher, signature),
  );
  await emits(hash, w.channel, [["ChannelClosed", { channelId: c.id, paid, settled, refunded }]]);
  assert.deepEqual(await w.channel.read.getChannel([c.id]), { ...before, settled, finalized: true });
  assert.equal(await w.channel.read.statusOf([c.id]), 3);
}
