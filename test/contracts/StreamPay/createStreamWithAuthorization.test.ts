import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Hex } from "viem";
import { authorize, FOREVER, nonceOf, relaying, terms } from "./tokenSignatures.ts";
import { build, fresh, key } from "./world.ts";

describe("createStreamWithAuthorization", () => {
  for (const kind of ["18 decimals", "6 decimals"] as const) {
    describe(`in ${kind}`, () => {
      const world = fresh(() => build(kind));

      describe("when the payer signed these terms", () => {
        it("it opens the payer's stream at the sender's cost", async () => {
          const w = world();
          const providerId = await w.provide(w.parties.payee, w.rate, { serviceType: 1 });
          const t = terms(w, { providerId, serviceType: 1 });
          await w.expect(relaying(w, t, await authorize(w, t)), {
            events: [w.created(1n, { providerId, serviceType: 1 })],
            balances: { payer: -w.rate * 1_000n },
          });
        });
      });

      describe("when the amount leaves a remainder", () => {
        it("it pays the remainder back to the payer", async () => {
          const w = world();
          const t = terms(w, { amount: w.rate * 1_000n + 999n });
          await w.expect(relaying(w, t, await authorize(w, t)), { events: [w.created(1n)], balances: { payer: -w.rate * 1_000n } });
        });
      });

      describe("when the payer is a wallet contract with a longer signature", () => {
        it("it opens the wallet's stream", async () => {
          const w = world();
          assert(w.token);
          const wallet = await w.chain.deploy("ContractWallet", [key(5).address]);
          const t = terms(w, { payer: wallet.address });
          await w.chain.send({ from: w.parties.payer, to: w.token, fn: "mint", args: [wallet.address, t.amount] });
          const signature: Hex = `${await authorize(w, t, key(5))}00`;
          await w.expect(relaying(w, t, signature), { events: [w.created(1n, { from: wallet.address })], outside: -t.amount });
          assert.equal(await w.balanceOf(wallet.address), 0n);
        });
      });

      describe("when a term differs from what was signed", () => {
        it("it reverts with the token's error", async () => {
          const w = world();
          const t = terms(w);
          const signature = await authorize(w, t);
          const changed = [
            { recipient: w.parties.relayer },
            { duration: 999n },
            { serviceType: 1 },
            { providerId: await w.provide() },
            { salt: `0x${"00".repeat(32)}` as const },
            { amount: t.amount - 1_000n },
            { validAfter: 1n },
            { validBefore: FOREVER + 1n },
          ];
          for (const change of changed) {
            const other = { ...t, ...change };
            await w.refuses(relaying(w, other, signature), "MockToken_BadAuthorizationSignature", [t.payer, nonceOf(other)]);
          }
        });
      });

      describe("given the authorization was used", () => {
        it("it reverts with the token's error", async () => {
          const w = world();
          const t = terms(w);
          const signature = await authorize(w, t);
          await w.chain.send(relaying(w, t, signature));
          await w.refuses(relaying(w, t, signature), "MockToken_AuthorizationUsedOrCanceled", [t.payer, nonceOf(t)]);
        });
      });

      describe("when the terms are out of range", () => {
        it("it reverts as createStream does and leaves the authorization unused", async () => {
          const w = world();
          assert(w.token);
          const t = terms(w, { amount: 999n });
          await w.refuses(relaying(w, t, await authorize(w, t)), "StreamPay_DepositTooSmall", [999n, 1_000n]);
          assert.equal(await w.chain.read(w.token, "authorizationState", [t.payer, nonceOf(t)]), false);
        });
      });

      describe("when the asset has no code", () => {
        it("it reverts with AssetNotContract", async () => {
          const w = world();
          const t = terms(w);
          const call = relaying(w, t, await authorize(w, t));
          const args = (call.args ?? []).with(1, w.parties.stranger);
          await w.refuses({ ...call, args }, "StreamPay_AssetNotContract", [w.parties.stranger]);
        });
      });
    });
  }

  describe("given the token knows split signatures only", () => {
    const world = fresh(() => build("6 decimals", ["SplitSignatureToken", []]));
    it("it opens the stream with a signature of 65 bytes", async () => {
      const w = world();
      const t = terms(w);
      await w.expect(relaying(w, t, await authorize(w, t)), { events: [w.created(1n)], balances: { payer: -t.amount } });
    });
  });

  describe("given the token keeps a fee", () => {
    const world = fresh(() => build("18 decimals", ["FeeToken", []]));
    it("it reverts with DeliveredLess", async () => {
      const w = world();
      const t = terms(w);
      await w.refuses(relaying(w, t, await authorize(w, t)), "StreamPay_DeliveredLess", [t.amount - t.amount / 100n, t.amount]);
    });
  });

  describe("given the remainder cannot be pushed back", () => {
    const world = fresh(() => build("18 decimals", ["MoodyToken", []]));
    it("it credits the remainder to the payer", async () => {
      const w = world();
      assert(w.token);
      const t = terms(w, { amount: w.rate * 1_000n + 9n });
      await w.chain.send({ from: w.parties.payer, to: w.token, fn: "setMood", args: [1] });
      await w.expect(relaying(w, t, await authorize(w, t)), {
        events: [w.created(1n), w.credited("payer", 9n)],
        balances: { payer: -t.amount },
        credits: { payer: 9n },
      });
    });
  });
});
