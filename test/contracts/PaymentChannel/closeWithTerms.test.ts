import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, zeroAddress } from "viem";

import { voucher } from "./signing.ts";
import { as, closed, emits, idOf, load, moves, opened, reverts, type Terms, terms, type World } from "./world.ts";

const sign = (w: World, id: Hex, amount: bigint, signer = w.hot) => voucher(w.channel.address, signer, id, amount);
const close = (w: World, t: Terms, amount: bigint, signature: Hex, providerId = 0n, from = w.payee) =>
  w.channel.write.close([t, amount, signature, providerId], as(from));

async function nativeProvider(w: World, owner = w.payee): Promise<bigint> {
  await w.registry.write.registerProvider(["model", 1n, "https://provider.example", 0], as(owner));
  return (await w.registry.read.getRegistryStats())[0];
}

const native = { token: zeroAddress };

describe("closeWithTerms", () => {
  describe("given no channel has these terms", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const t = terms(w, { ...c.terms, payer: w.payee.account.address });
      const id = await idOf(w.channel, t);
      await reverts(w, close(w, t, 0n, "0x"), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 10n);
      await reverts(w, close(w, c.terms, 0n, "0x"), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payee", () => {
    it("it reverts with NotPayee", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, close(w, c.terms, 0n, "0x", 0n, w.payer), "PaymentChannel_NotPayee", [c.id, c.terms.payer, c.terms.payee]);
    });
  });

  describe("when the voucher is refused", () => {
    it("it reverts as close does", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, close(w, c.terms, 11n, await sign(w, c.id, 11n)), "PaymentChannel_AmountExceedsDeposit", [c.id, 11n, 10n]);
      const digest = await w.channel.read.voucherDigest([c.id, 4n]);
      await reverts(w, close(w, c.terms, 4n, await sign(w, c.id, 4n, w.payer)), "PaymentChannel_InvalidSignature", [
        w.hot.account.address,
        digest,
      ]);
    });
  });

  describe("when no provider is named", () => {
    it("it pays, refunds and records nothing", async () => {
      const w = await load();
      const id = await nativeProvider(w);
      const c = await opened(w, 10n, native);
      const signature = await sign(w, c.id, 4n);
      const hash = await moves(
        w,
        w.native,
        [
          [c.terms.payee, 4n],
          [c.terms.payer, 6n],
          [w.channel.address, -10n],
        ],
        () => close(w, c.terms, 4n, signature),
      );
      await emits(hash, w.channel, [["ChannelClosed", { channelId: c.id, paid: 4n, settled: 4n, refunded: 6n }]]);
      assert.equal((await w.registry.read.getProvider([id])).completions, 0n);
    });
  });

  describe("when the provider is not the payee's", () => {
    it("it reverts with ProviderMismatch", async () => {
      const w = await load();
      const id = await nativeProvider(w, w.stranger);
      const c = await opened(w, 10n, native);
      await reverts(w, close(w, c.terms, 4n, await sign(w, c.id, 4n), id), "PaymentChannel_ProviderMismatch", [
        id,
        c.terms.payee,
        zeroAddress,
      ]);
    });
  });

  describe("when the provider is the payee's", () => {
    describe("when the voucher adds something", () => {
      it("it pays, refunds and records a completion", async () => {
        const w = await load();
        const id = await nativeProvider(w);
        const c = await opened(w, 10n, native);
        await w.channel.write.settle([c.id, 1n, await sign(w, c.id, 1n)], as(w.payee));
        const signature = await sign(w, c.id, 4n);
        await moves(
          w,
          w.native,
          [
            [c.terms.payee, 3n],
            [c.terms.payer, 6n],
            [w.channel.address, -9n],
          ],
          () => close(w, c.terms, 4n, signature, id),
        );
        const { completions, earned } = await w.registry.read.getProvider([id]);
        assert.deepEqual({ completions, earned }, { completions: 1n, earned: 3n });
        assert.equal(await w.channel.read.statusOf([c.id]), 3);
      });
    });

    describe("when the voucher adds nothing", () => {
      it("it refunds and records nothing", async () => {
        const w = await load();
        const id = await nativeProvider(w);
        const c = await opened(w, 10n, native);
        await moves(
          w,
          w.native,
          [
            [c.terms.payee, 0n],
            [c.terms.payer, 10n],
            [w.channel.address, -10n],
          ],
          () => close(w, c.terms, 0n, "0x", id),
        );
        assert.equal((await w.registry.read.getProvider([id])).completions, 0n);
      });
    });
  });

  describe("given the registry answers garbage", () => {
    it("it reverts with ProviderMismatch", async () => {
      const w = await load();
      const c = await opened(w, 10n, {}, w.faultyChannel);
      await w.faultyRegistry.write.set([3, c.terms.payee, c.terms.token]);
      const signature = await voucher(w.faultyChannel.address, w.hot, c.id, 4n);
      await reverts(w, w.faultyChannel.write.close([c.terms, 4n, signature, 1n], as(w.payee)), "PaymentChannel_ProviderMismatch", [
        1n,
        c.terms.payee,
        c.terms.token,
      ]);
      // The payee is not held up: it closes without naming a provider.
      await moves(
        w,
        w.dollar,
        [
          [c.terms.payee, 4n],
          [c.terms.payer, 6n],
        ],
        () => w.faultyChannel.write.close([c.terms, 4n, signature, 0n], as(w.payee)),
        w.faultyChannel,
      );
    });
  });
});
