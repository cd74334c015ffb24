import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, keccak256 } from "viem";

import { payeeAuthorization, voucher } from "./signing.ts";
import { as, closed, emits, load, moves, networkHelpers, opened, reverts, timestamp, viem, type Wallet, type World } from "./world.ts";

const never = 2n ** 40n;

interface Call {
  channelId: Hex;
  cumulativeAmount: bigint;
  nonce: bigint;
  deadline: bigint;
}

const authorize = (
  w: World,
  call: Call,
  signer: Wallet = w.payee,
  kind: "SettleAuthorization" | "CloseAuthorization" = "CloseAuthorization",
) => payeeAuthorization(w.channel.address, kind, signer, call);
const digest = (w: World, c: Call) => w.channel.read.closeDigest([c.channelId, c.cumulativeAmount, c.nonce, c.deadline]);
const send = (w: World, c: Call, payeeSignature: Hex, voucherSignature: Hex) =>
  w.channel.write.closeWithAuthorization(
    [c.channelId, c.cumulativeAmount, c.nonce, c.deadline, payeeSignature, voucherSignature],
    as(w.relayer),
  );

const callOf = (channelId: Hex, more: Partial<Call> = {}): Call => ({
  channelId,
  cumulativeAmount: 4n,
  nonce: 7n,
  deadline: never,
  ...more,
});
const sign = (w: World, c: Call, signer = w.hot) => voucher(w.channel.address, signer, c.channelId, c.cumulativeAmount);

describe("closeWithAuthorization", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const call = callOf(keccak256("0x"));
      await reverts(w, send(w, call, await authorize(w, call), await sign(w, call)), "PaymentChannel_ChannelNotFound", [call.channelId]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const call = callOf((await closed(w, 10n)).id);
      await reverts(w, send(w, call, await authorize(w, call), await sign(w, call)), "PaymentChannel_ChannelFinalized", [call.channelId]);
    });
  });

  describe("when the deadline is past", () => {
    it("it reverts with AuthorizationExpired", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const deadline = await timestamp();
      const call = callOf(c.id, { deadline });
      const now = (at: bigint) => at > deadline;
      await reverts(w, send(w, call, await authorize(w, call), await sign(w, call)), "PaymentChannel_AuthorizationExpired", [
        deadline,
        now,
      ]);
    });
  });

  describe("when the deadline is now", () => {
    it("it takes the authorization", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const call = callOf(c.id, { deadline: (await timestamp()) + 10n });
      const signatures = [await authorize(w, call), await sign(w, call)] as const;
      await networkHelpers.time.setNextBlockTimestamp(call.deadline);
      const args = [call.channelId, call.cumulativeAmount, call.nonce, call.deadline, ...signatures] as const;
      await w.channel.write.closeWithAuthorization(args, { account: w.relayer.account, gas: 1_000_000n });
      assert.equal(await timestamp(), call.deadline);
      assert.equal((await w.channel.read.getChannel([c.id])).settled, 4n);
    });
  });

  describe("given the nonce was used", () => {
    describe("given a settlement used it", () => {
      it("it reverts with NonceAlreadyUsed", async () => {
        const w = await load();
        const { id } = await opened(w, 10n);
        const first = callOf(id, { cumulativeAmount: 3n, nonce: 2n ** 256n - 1n });
        const settlement = await authorize(w, first, w.payee, "SettleAuthorization");
        await w.channel.write.settleWithAuthorization([id, 3n, first.nonce, never, settlement, await sign(w, first)], as(w.relayer));
        assert.equal(await w.channel.read.isNonceUsed([id, first.nonce]), true);
        const call = callOf(id, { nonce: first.nonce });
        await reverts(w, send(w, call, await authorize(w, call), await sign(w, call)), "PaymentChannel_NonceAlreadyUsed", [id, call.nonce]);
        // Neighbours in the same word and in other words are free.
        for (const nonce of [2n ** 256n - 2n, 2n ** 256n - 257n, 255n]) assert.equal(await w.channel.read.isNonceUsed([id, nonce]), false);
        const next = callOf(id, { nonce: 2n ** 256n - 2n });
        await send(w, next, await authorize(w, next), await sign(w, next));
        assert.equal(await w.channel.read.isNonceUsed([id, first.nonce]), true);
        assert.equal(await w.channel.read.isNonceUsed([id, next.nonce]), true);
      });
    });

    describe("given another channel used it", () => {
      it("it takes the authorization", async () => {
        const w = await load();
        for (const c of [await opened(w, 10n), await opened(w, 10n)]) {
          const call = callOf(c.id);
          await send(w, call, await authorize(w, call), await sign(w, call));
          assert.equal((await w.channel.read.getChannel([c.id])).settled, 4n);
        }
      });
    });
  });

  describe("when the authorization is not the payee's", () => {
    it("it reverts with InvalidSignature", async () => {
      const w = await load();
      const call = callOf((await opened(w, 10n)).id);
      for (const signer of [w.relayer, w.payer, w.hot]) {
        await reverts(w, send(w, call, await authorize(w, call, signer), await sign(w, call)), "PaymentChannel_InvalidSignature", [
          w.payee.account.address,
          await digest(w, call),
        ]);
      }
    });
  });

  describe("when the authorization is for the other kind of call", () => {
    it("it reverts with InvalidSignature", async () => {
      const w = await load();
      const call = callOf((await opened(w, 10n)).id);
      const other = await authorize(w, call, w.payee, "SettleAuthorization");
      await reverts(w, send(w, call, other, await sign(w, call)), "PaymentChannel_InvalidSignature", [
        w.payee.account.address,
        await digest(w, call),
      ]);
    });
  });

  describe("when a relayer changes what was authorized", () => {
    it("it reverts with InvalidSignature", async () => {
      const w = await load();
      const signed = callOf((await opened(w, 10n)).id);
      const signature = await authorize(w, signed);
      const other = (await opened(w, 10n)).id;
      for (const change of [{ channelId: other }, { cumulativeAmount: 3n }, { nonce: 8n }, { deadline: never + 1n }]) {
        const call = { ...signed, ...change };
        await reverts(w, send(w, call, signature, await sign(w, call)), "PaymentChannel_InvalidSignature", [
          w.payee.account.address,
          await digest(w, call),
        ]);
      }
    });
  });

  describe("when the voucher is refused", () => {
    it("it reverts as close does and the nonce stays unused", async () => {
      const w = await load();
      const { id } = await opened(w, 10n);
      const call = callOf(id);
      const wrong = await sign(w, call, w.payer);
      await reverts(w, send(w, call, await authorize(w, call), wrong), "PaymentChannel_InvalidSignature", [
        w.hot.account.address,
        await w.channel.read.voucherDigest([id, 4n]),
      ]);
      const tooMuch = callOf(id, { cumulativeAmount: 11n });
      await reverts(w, send(w, tooMuch, await authorize(w, tooMuch), await sign(w, tooMuch)), "PaymentChannel_AmountExceedsDeposit", [
        id,
        11n,
        10n,
      ]);
      assert.equal(await w.channel.read.isNonceUsed([id, call.nonce]), false);
    });
  });

  describe("when the amount is not above what is settled", () => {
    it("it refunds without a voucher signature", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const call = callOf(c.id, { cumulativeAmount: 0n });
      const signature = await authorize(w, call);
      const hash = await moves(
        w,
        w.dollar,
        [
          [c.terms.payee, 0n],
          [c.terms.payer, 10n],
          [w.channel.address, -10n],
        ],
        () => send(w, call, signature, "0x"),
      );
      await emits(hash, w.channel, [["ChannelClosed", { channelId: c.id, paid: 0n, settled: 0n, refunded: 10n }]]);
    });
  });

  describe("when both signatures are good", () => {
    describe("when the payee is a key", () => {
      it("it pays as close does, at the relayer's cost", async () => {
        const w = await load();
        const c = await opened(w, 10n);
        const call = callOf(c.id);
        const signatures = [await authorize(w, call), await sign(w, call)] as const;
        const hash = await moves(
          w,
          w.dollar,
          [
            [c.terms.payee, 4n],
            [c.terms.payer, 6n],
            [w.relayer.account.address, 0n],
            [w.channel.address, -10n],
          ],
          () => send(w, call, ...signatures),
        );
        await emits(hash, w.channel, [["ChannelClosed", { channelId: c.id, paid: 4n, settled: 4n, refunded: 6n }]]);
        assert.equal(await w.channel.read.statusOf([c.id]), 3);
      });
    });

    describe("when the payee is a contract wallet", () => {
      it("it pays the wallet", async () => {
        const w = await load();
        const wallet = await viem.deployContract("ContractWallet", [w.payee.account.address]);
        const c = await opened(w, 10n, { payee: wallet.address });
        const call = callOf(c.id);
        const signatures = [await authorize(w, call), await sign(w, call)] as const;
        await moves(
          w,
          w.dollar,
          [
            [wallet.address, 4n],
            [w.payee.account.address, 0n],
          ],
          () => send(w, call, ...signatures),
        );
      });
    });
  });
});
