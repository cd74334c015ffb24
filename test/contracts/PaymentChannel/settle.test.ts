import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeFunctionData, type Hex, keccak256 } from "viem";

import { voucher } from "./signing.ts";
import { as, closed, emits, load, moves, type Opened, opened, reverts, viem, type World } from "./world.ts";

const sign = (w: World, c: { id: Hex }, amount: bigint, signer = w.hot) => voucher(w.channel.address, signer, c.id, amount);
const settle = (w: World, c: { id: Hex }, amount: bigint, signature: Hex, from = w.payee) =>
  w.channel.write.settle([c.id, amount, signature], as(from));

describe("settle", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const id = keccak256("0x");
      await reverts(w, settle(w, { id }, 1n, await sign(w, { id }, 1n)), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 10n);
      await reverts(w, settle(w, c, 1n, await sign(w, c, 1n)), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payee", () => {
    it("it reverts with NotPayee", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      for (const caller of [w.payer, w.hot, w.stranger]) {
        await reverts(w, settle(w, c, 1n, await sign(w, c, 1n), caller), "PaymentChannel_NotPayee", [
          c.id,
          caller.account.address,
          c.terms.payee,
        ]);
      }
      // A contract that the payee happens to call does not speak for the payee.
      const actor = await viem.deployContract("Actor");
      const call = encodeFunctionData({ abi: w.channel.abi, functionName: "settle", args: [c.id, 1n, await sign(w, c, 1n)] });
      await reverts(w, actor.write.execute([w.channel.address, 0n, call], as(w.payee)), "PaymentChannel_NotPayee", [
        c.id,
        actor.address,
        c.terms.payee,
      ]);
    });
  });

  describe("when the voucher is not above what is settled", () => {
    it("it reverts with AmountNotIncreasing", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, settle(w, c, 0n, await sign(w, c, 0n)), "PaymentChannel_AmountNotIncreasing", [c.id, 0n, 0n]);
      await settle(w, c, 4n, await sign(w, c, 4n));
      await reverts(w, settle(w, c, 4n, await sign(w, c, 4n)), "PaymentChannel_AmountNotIncreasing", [c.id, 4n, 4n]);
      await reverts(w, settle(w, c, 3n, await sign(w, c, 3n)), "PaymentChannel_AmountNotIncreasing", [c.id, 3n, 4n]);
    });
  });

  describe("when the voucher is above the deposit", () => {
    it("it reverts with AmountExceedsDeposit", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, settle(w, c, 11n, await sign(w, c, 11n)), "PaymentChannel_AmountExceedsDeposit", [c.id, 11n, 10n]);
      const most = 2n ** 128n - 1n;
      await reverts(w, settle(w, c, most, await sign(w, c, most)), "PaymentChannel_AmountExceedsDeposit", [c.id, most, 10n]);
    });
  });

  describe("when the signature is not the signer's", () => {
    it("it reverts with InvalidSignature", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const digest = await w.channel.read.voucherDigest([c.id, 4n]);
      const wrong = [
        await sign(w, c, 4n, w.payer),
        await sign(w, c, 5n),
        "0x",
        `${(await sign(w, c, 4n)).slice(0, -2)}1d`,
        `${await sign(w, c, 4n)}00`,
      ] as Hex[];
      for (const signature of wrong)
        await reverts(w, settle(w, c, 4n, signature), "PaymentChannel_InvalidSignature", [w.hot.account.address, digest]);
    });
  });

  describe("when the voucher is good", () => {
    describe("when it is the first", () => {
      it("it pays the voucher", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        const hash = await paid(w, c, 4n, 4n);
        await emits(hash, w.channel, [["ChannelSettled", { channelId: c.id, paid: 4n, settled: 4n }]]);
        const { deposit, settled, finalized } = await w.channel.read.getChannel([c.id]);
        assert.deepEqual({ deposit, settled, finalized }, { deposit: 10n, settled: 4n, finalized: false });
      });
    });

    describe("when it is a later one", () => {
      it("it pays what the voucher adds", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await paid(w, c, 4n, 4n);
        const hash = await paid(w, c, 9n, 5n);
        await emits(hash, w.channel, [["ChannelSettled", { channelId: c.id, paid: 5n, settled: 9n }]]);
      });
    });

    describe("when it is the whole deposit", () => {
      it("it pays all and the channel stays open", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await paid(w, c, 10n, 10n);
        assert.equal(await w.channel.read.statusOf([c.id]), 1);
        await w.channel.write.topUp([c.id, 2n], as(w.payer));
        await paid(w, c, 12n, 2n);
      });
    });

    describe("given a close was requested", () => {
      it("it pays the voucher and the request stands", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        await w.channel.write.requestClose([c.id], as(w.payer));
        const { closeRequestedAt } = await w.channel.read.getChannel([c.id]);
        await paid(w, c, 4n, 4n);
        assert.equal(await w.channel.read.statusOf([c.id]), 2);
        assert.equal((await w.channel.read.getChannel([c.id])).closeRequestedAt, closeRequestedAt);
      });
    });

    describe("given the payee cannot be paid", () => {
      it("it credits the payee", async () => {
        const w = await load();
        const c = await opened(w, 10n, { token: w.blocklist.address });
        await w.blocklist.write.setBlocked([c.terms.payee, true]);
        const hash = await settle(w, c, 4n, await sign(w, c, 4n));
        await emits(hash, w.channel, [
          ["ChannelSettled", { channelId: c.id, paid: 4n, settled: 4n }],
          ["CreditAdded", { account: c.terms.payee, asset: w.blocklist.address, amount: 4n }],
        ]);
        assert.equal(await w.channel.read.creditOf([c.terms.payee, w.blocklist.address]), 4n);
        assert.equal(await w.blocklist.read.balanceOf([w.channel.address]), 10n);
        // The second refusal adds to the first.
        await settle(w, c, 7n, await sign(w, c, 7n));
        assert.equal(await w.channel.read.creditOf([c.terms.payee, w.blocklist.address]), 7n);
      });
    });
  });

  describe("when the signer is a contract wallet", () => {
    describe("when the wallet accepts the signature", () => {
      it("it pays the voucher", async () => {
        const w = await load();
        const wallet = await viem.deployContract("ContractWallet", [w.stranger.account.address]);
        const c = await opened(w, 10n, { authorizedSigner: wallet.address });
        const signature = await sign(w, c, 4n, w.stranger);
        await moves(
          w,
          w.dollar,
          [
            [c.terms.payee, 4n],
            [w.channel.address, -4n],
          ],
          () => settle(w, c, 4n, signature),
        );
        // A wallet may want more than 65 bytes.
        const longer: Hex = `${await sign(w, c, 6n, w.stranger)}ff`;
        await moves(
          w,
          w.dollar,
          [
            [c.terms.payee, 2n],
            [w.channel.address, -2n],
          ],
          () => settle(w, c, 6n, longer),
        );
      });
    });

    describe("when the wallet refuses the signature", () => {
      it("it reverts with InvalidSignature", async () => {
        const w = await load();
        const wallet = await viem.deployContract("ContractWallet", [w.stranger.account.address]);
        const c = await opened(w, 10n, { authorizedSigner: wallet.address });
        const digest = await w.channel.read.voucherDigest([c.id, 4n]);
        // Refused by its answer, and by a revert inside the wallet (too short to slice).
        for (const signature of [await sign(w, c, 4n), "0x01" as Hex]) {
          await reverts(w, settle(w, c, 4n, signature), "PaymentChannel_InvalidSignature", [wallet.address, digest]);
        }
      });
    });

    describe("when the wallet answers less than a word", () => {
      it("it reverts with InvalidSignature", async () => {
        const w = await load();
        const wallet = await viem.deployContract("TerseWallet");
        const c = await opened(w, 10n, { authorizedSigner: wallet.address });
        const digest = await w.channel.read.voucherDigest([c.id, 4n]);
        await reverts(w, settle(w, c, 4n, await sign(w, c, 4n)), "PaymentChannel_InvalidSignature", [wallet.address, digest]);
      });
    });
  });
});

async function paid(w: World, c: Opened, voucherAmount: bigint, added: bigint) {
  const signature = await sign(w, c, voucherAmount);
  return moves(
    w,
    w.dollar,
    [
      [c.terms.payee, added],
      [c.terms.payer, 0n],
      [w.channel.address, -added],
    ],
    () => settle(w, c, voucherAmount, signature),
  );
}
