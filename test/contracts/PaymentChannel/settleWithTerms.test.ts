import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, zeroAddress } from "viem";

import { voucher } from "./signing.ts";
import { as, closed, emits, idOf, load, moves, opened, reverts, type Terms, terms, type World } from "./world.ts";

const sign = (w: World, id: Hex, amount: bigint, signer = w.hot) => voucher(w.channel.address, signer, id, amount);
const settle = (w: World, t: Terms, amount: bigint, signature: Hex, providerId = 0n, from = w.payee) =>
  w.channel.write.settle([t, amount, signature, providerId], as(from));

async function provider(w: World, owner: "payee" | "stranger", asset: Hex): Promise<bigint> {
  await w.registry.write.registerProvider(["model", 1n, "https://provider.example", 0, asset], as(w[owner]));
  return (await w.registry.read.getRegistryStats())[0];
}

describe("settleWithTerms", () => {
  describe("given no channel has these terms", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const t = terms(w, { ...c.terms, authorizedSigner: w.payee.account.address });
      const id = await idOf(w.channel, t);
      await reverts(w, settle(w, t, 4n, await sign(w, id, 4n, w.payee)), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 10n);
      await reverts(w, settle(w, c.terms, 4n, await sign(w, c.id, 4n)), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payee", () => {
    it("it reverts with NotPayee", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, settle(w, c.terms, 4n, await sign(w, c.id, 4n), 0n, w.payer), "PaymentChannel_NotPayee", [
        c.id,
        c.terms.payer,
        c.terms.payee,
      ]);
    });
  });

  describe("when the voucher is refused", () => {
    it("it reverts as settle does", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, settle(w, c.terms, 0n, "0x"), "PaymentChannel_AmountNotIncreasing", [c.id, 0n, 0n]);
      await reverts(w, settle(w, c.terms, 11n, await sign(w, c.id, 11n)), "PaymentChannel_AmountExceedsDeposit", [c.id, 11n, 10n]);
      const digest = await w.channel.read.voucherDigest([c.id, 4n]);
      await reverts(w, settle(w, c.terms, 4n, await sign(w, c.id, 4n, w.payer)), "PaymentChannel_InvalidSignature", [
        w.hot.account.address,
        digest,
      ]);
    });
  });

  describe("when no signer is named", () => {
    it("it takes the payer's voucher", async () => {
      const w = await load();
      const c = await opened(w, 10n, { authorizedSigner: zeroAddress });
      const signature = await sign(w, c.id, 4n, w.payer);
      await moves(
        w,
        w.dollar,
        [
          [c.terms.payee, 4n],
          [w.channel.address, -4n],
        ],
        () => settle(w, c.terms, 4n, signature),
      );
    });
  });

  describe("when no provider is named", () => {
    it("it pays the voucher and records nothing", async () => {
      const w = await load();
      const id = await provider(w, "payee", w.usd18.address);
      const c = await opened(w, 10n);
      const signature = await sign(w, c.id, 4n);
      const hash = await moves(
        w,
        w.dollar,
        [
          [c.terms.payee, 4n],
          [w.channel.address, -4n],
        ],
        () => settle(w, c.terms, 4n, signature),
      );
      await emits(hash, w.channel, [["ChannelSettled", { channelId: c.id, paid: 4n, settled: 4n }]]);
      assert.equal((await w.registry.read.getProvider([id])).completions, 0n);
    });
  });

  describe("when the provider is not the payee's", () => {
    it("it reverts with ProviderMismatch", async () => {
      const w = await load();
      const id = await provider(w, "stranger", w.usd18.address);
      const c = await opened(w, 10n);
      await reverts(w, settle(w, c.terms, 4n, await sign(w, c.id, 4n), id), "PaymentChannel_ProviderMismatch", [
        id,
        c.terms.payee,
        c.terms.token,
      ]);
    });
  });

  describe("when the provider is priced in another asset", () => {
    it("it reverts with ProviderMismatch", async () => {
      const w = await load();
      const id = await provider(w, "payee", w.usd6.address);
      const c = await opened(w, 10n);
      await reverts(w, settle(w, c.terms, 4n, await sign(w, c.id, 4n), id), "PaymentChannel_ProviderMismatch", [
        id,
        c.terms.payee,
        c.terms.token,
      ]);
    });
  });

  describe("when the provider is the payee's", () => {
    it("it pays the voucher and records a completion", async () => {
      const w = await load();
      const id = await provider(w, "payee", w.usd18.address);
      const c = await opened(w, 10n);
      for (const [amount, added] of [
        [4n, 4n],
        [7n, 3n],
      ] as const) {
        const signature = await sign(w, c.id, amount);
        await moves(
          w,
          w.dollar,
          [
            [c.terms.payee, added],
            [w.channel.address, -added],
          ],
          () => settle(w, c.terms, amount, signature, id),
        );
      }
      const { completions, earned } = await w.registry.read.getProvider([id]);
      assert.deepEqual({ completions, earned }, { completions: 2n, earned: 7n });
    });
  });

  describe("given the provider does not exist", () => {
    it("it pays the voucher and records nothing", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const signature = await sign(w, c.id, 4n);
      await moves(
        w,
        w.dollar,
        [
          [c.terms.payee, 4n],
          [w.channel.address, -4n],
        ],
        () => settle(w, c.terms, 4n, signature, 99n),
      );
    });
  });

  describe("given the registry fails", () => {
    it("it pays the voucher", async () => {
      const w = await load();
      const c = await opened(w, 100n, {}, w.faultyChannel);
      let cumulative = 0n;
      const next = async (mood: number) => {
        await w.faultyRegistry.write.set([mood, c.terms.payee, c.terms.token]);
        cumulative += 4n;
        const signature = await voucher(w.faultyChannel.address, w.hot, c.id, cumulative);
        const send = () =>
          w.faultyChannel.write.settle([c.terms, cumulative, signature, 1n], { account: w.payee.account, gas: 1_000_000n });
        await moves(
          w,
          w.dollar,
          [
            [c.terms.payee, 4n],
            [w.faultyChannel.address, -4n],
          ],
          send,
          w.faultyChannel,
        );
        return w.faultyRegistry.read.recorded();
      };
      assert.equal(await next(0), 4n, "a good registry records");
      for (const mood of [1, 2, 4, 5]) assert.equal(await next(mood), 4n, `mood ${mood}`);
    });
  });
});
