import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeFunctionData, zeroAddress } from "viem";

import { as, closed, emits, load, moves, opened, reverts, viem, type World } from "./world.ts";

/** A contract that opened a native channel, and refused its refund. */
async function creditedContract(w: World) {
  const actor = await viem.deployContract("Actor");
  const salt = `0x${"11".repeat(32)}` as const;
  const open = encodeFunctionData({
    abi: w.channel.abi,
    functionName: "open",
    args: [w.payee.account.address, zeroAddress, 10n, salt, zeroAddress],
  });
  await actor.write.execute([w.channel.address, 10n, open], { value: 10n });
  const id = await w.channel.read.computeChannelId([actor.address, w.payee.account.address, zeroAddress, salt, zeroAddress]);
  await actor.write.setMood([1, zeroAddress, "0x"]);
  await w.channel.write.close([id, 0n, "0x"], as(w.payee));
  assert.equal(await w.channel.read.creditOf([actor.address, zeroAddress]), 10n);
  return actor;
}

const collect = (w: World, asset: `0x${string}`, to: `0x${string}`) =>
  encodeFunctionData({ abi: w.channel.abi, functionName: "withdrawCredit", args: [asset, to] });

/** A payer whose refund its token refused. */
async function creditedPayer(w: World) {
  const c = await opened(w, 10n, { token: w.blocklist.address });
  await w.blocklist.write.setBlocked([c.terms.payer, true]);
  await w.channel.write.close([c.id, 0n, "0x"], as(w.payee));
  return c.terms.payer;
}

describe("withdrawCredit", () => {
  describe("when the recipient is the zero address", () => {
    it("it reverts with ZeroRecipient", async () => {
      const w = await load();
      const actor = await creditedContract(w);
      await reverts(
        w,
        actor.write.execute([w.channel.address, 0n, collect(w, zeroAddress, zeroAddress)]),
        "PaymentChannel_ZeroRecipient",
        [],
      );
      assert.equal(await w.channel.read.creditOf([actor.address, zeroAddress]), 10n);
    });
  });

  describe("given the caller has no credit in the asset", () => {
    it("it reverts with NothingCredited", async () => {
      const w = await load();
      await closed(w, 10n);
      const payer = await creditedPayer(w);
      await reverts(w, w.channel.write.withdrawCredit([w.usd18.address, payer], as(w.payer)), "PaymentChannel_NothingCredited", [
        payer,
        w.usd18.address,
      ]);
      await reverts(w, w.channel.write.withdrawCredit([w.blocklist.address, payer], as(w.payee)), "PaymentChannel_NothingCredited", [
        w.payee.account.address,
        w.blocklist.address,
      ]);
    });
  });

  describe("when the recipient refuses", () => {
    describe("when the asset is the native coin", () => {
      it("it reverts with TransferFailed and the credit stays", async () => {
        const w = await load();
        const actor = await creditedContract(w);
        await reverts(
          w,
          actor.write.execute([w.channel.address, 0n, collect(w, zeroAddress, actor.address)]),
          "PaymentChannel_TransferFailed",
          [actor.address, 10n],
        );
        assert.equal(await w.channel.read.creditOf([actor.address, zeroAddress]), 10n);
      });
    });

    describe("when the asset is an ERC-20", () => {
      it("it reverts with TransferFailed and the credit stays", async () => {
        const w = await load();
        const payer = await creditedPayer(w);
        await reverts(w, w.channel.write.withdrawCredit([w.blocklist.address, payer], as(w.payer)), "PaymentChannel_TransferFailed", [
          payer,
          10n,
        ]);
        assert.equal(await w.channel.read.creditOf([payer, w.blocklist.address]), 10n);
      });
    });
  });

  describe("when the recipient accepts", () => {
    describe("when the asset is the native coin", () => {
      it("it pays the credit to any address", async () => {
        const w = await load();
        const actor = await creditedContract(w);
        const to = w.stranger.account.address;
        const hash = await moves(
          w,
          w.native,
          [
            [to, 10n],
            [w.channel.address, -10n],
          ],
          () => actor.write.execute([w.channel.address, 0n, collect(w, zeroAddress, to)]),
        );
        await emits(hash, w.channel, [["CreditWithdrawn", { account: actor.address, asset: zeroAddress, to, amount: 10n }]]);
        assert.equal(await w.channel.read.creditOf([actor.address, zeroAddress]), 0n);
      });
    });

    describe("when the asset is an ERC-20", () => {
      it("it pays the credit to any address", async () => {
        const w = await load();
        const payer = await creditedPayer(w);
        const to = w.relayer.account.address;
        const before = await w.blocklist.read.balanceOf([to]);
        const hash = await w.channel.write.withdrawCredit([w.blocklist.address, to], as(w.payer));
        await emits(hash, w.channel, [["CreditWithdrawn", { account: payer, asset: w.blocklist.address, to, amount: 10n }]]);
        assert.equal((await w.blocklist.read.balanceOf([to])) - before, 10n);
        assert.equal(await w.blocklist.read.balanceOf([w.channel.address]), 0n);
        await reverts(w, w.channel.write.withdrawCredit([w.blocklist.address, to], as(w.payer)), "PaymentChannel_NothingCredited", [
          payer,
          w.blocklist.address,
        ]);
      });
    });
  });
});
