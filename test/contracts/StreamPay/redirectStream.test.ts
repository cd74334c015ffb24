import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inAsset, MAX_DURATION, recorded, shouldBehaveTheSameInEveryAsset, U64, type World } from "./world.ts";

const END_OF_TIME = 2n ** 32n - 1n;
const CLOSED = 3;

/** Redirects to the rival; with `max`, the form that names the highest price. */
const redirecting = (w: World, id: bigint, providerId: bigint, max?: bigint, recipient = w.parties.rival, from = w.parties.payer) =>
  w.call(from, "redirectStream", max === undefined ? [id, recipient, providerId] : [id, recipient, providerId, max]);
const redirected = (id: bigint, newId: bigint, paid: bigint, moved: bigint, refunded: bigint) =>
  ["StreamRedirected", { id, newId, paid, moved, refunded }] as const;

describe("redirectStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        await w.refuses(redirecting(w, 1n, 0n), "StreamPay_UnknownStream", [1n]);
        await w.refuses(redirecting(w, 1n, 0n, w.rate), "StreamPay_UnknownStream", [1n]);
      });
    });

    describe("when the caller is not the payer", () => {
      it("it reverts with NotPayer", async () => {
        const w = world();
        const { payer, payee, rival, stranger } = w.parties;
        const id = await w.open();
        for (const from of [payee, rival, stranger]) {
          await w.refuses(redirecting(w, id, 0n, undefined, rival, from), "StreamPay_NotPayer", [id, from, payer]);
        }
      });
    });

    describe("when the recipient is the zero address", () => {
      it("it reverts with ZeroRecipient", async () => {
        const w = world();
        const id = await w.open();
        await w.refuses(redirecting(w, id, 0n, undefined, zeroAddress), "StreamPay_ZeroRecipient");
      });
    });

    describe("given the stream is at its end", () => {
      it("it reverts with DepositTooSmall", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(1_000);
        await w.refuses(redirecting(w, id, 0n), "StreamPay_DepositTooSmall", [0n, w.rate]);
      });
    });

    describe("when no provider is named", () => {
      describe("when the highest price is below the old rate", () => {
        it("it reverts with PriceAboveMax", async () => {
          const w = world();
          const id = await w.open();
          await w.refuses(redirecting(w, id, 0n, w.rate - 1n), "StreamPay_PriceAboveMax", [w.rate, w.rate - 1n]);
        });
      });

      describe("when the highest price allows the old rate", () => {
        it("it pays the old payee and moves the rest at the old rate", async () => {
          const w = world();
          const id = await w.open({ serviceType: 2 });
          w.chain.pass(300);
          const [paid, moved] = [w.rate * 300n, w.rate * 700n];
          const terms = { recipient: w.parties.rival, duration: 700n };
          await w.expect(redirecting(w, id, 0n), {
            events: [w.created(2n, terms), redirected(id, 2n, paid, moved, 0n), w.credited("payee", paid)],
            credits: { payee: paid },
          });
          assert.equal(await w.read("statusOf", [id]), CLOSED);
          const start = Number(w.chain.now);
          assert.deepEqual(await w.stream(2n), {
            payer: w.parties.payer,
            payee: w.parties.rival,
            asset: w.asset,
            ratePerSecond: w.rate,
            start,
            end: start + 700,
            lastPaid: start,
            providerId: 0,
          });
        });
      });
    });

    describe("when a provider is named", () => {
      describe("given it was never registered", () => {
        it("it reverts with the registry's UnknownProvider", async () => {
          const w = world();
          const id = await w.open();
          await w.refuses(redirecting(w, id, 5n), "ComputeRegistry_UnknownProvider", [5n]);
        });
      });

      describe("given it is inactive", () => {
        it("it reverts with ProviderInactive", async () => {
          const w = world();
          const id = await w.open();
          const providerId = await w.provide(w.parties.rival);
          await w.update(providerId, w.rate, false, w.parties.rival);
          await w.refuses(redirecting(w, id, providerId), "StreamPay_ProviderInactive", [providerId]);
        });
      });

      describe("given the recipient does not own it", () => {
        it("it reverts with RecipientNotProvider", async () => {
          const w = world();
          const id = await w.open();
          const providerId = await w.provide(w.parties.payee);
          await w.refuses(redirecting(w, id, providerId), "StreamPay_RecipientNotProvider", [w.parties.rival, w.parties.payee]);
        });
      });

      describe("given its price is in another asset", () => {
        it("it reverts with AssetMismatch", async () => {
          const w = world();
          const id = await w.open();
          const other = w.native ? w.registry.address : zeroAddress;
          const providerId = await w.provide(w.parties.rival, w.rate, { asset: other });
          await w.refuses(redirecting(w, id, providerId), "StreamPay_AssetMismatch", [w.asset, other]);
        });
      });

      describe("given it is dearer than the old rate", () => {
        describe("when no highest price is given", () => {
          it("it reverts with PriceAboveMax", async () => {
            const w = world();
            const id = await w.open();
            const providerId = await w.provide(w.parties.rival, w.rate + 1n);
            await w.refuses(redirecting(w, id, providerId), "StreamPay_PriceAboveMax", [w.rate + 1n, w.rate]);
          });
        });

        describe("when the highest price is below its price", () => {
          it("it reverts with PriceAboveMax", async () => {
            const w = world();
            const id = await w.open();
            const providerId = await w.provide(w.parties.rival, w.rate * 2n);
            await w.refuses(redirecting(w, id, providerId, w.rate * 2n - 1n), "StreamPay_PriceAboveMax", [w.rate * 2n, w.rate * 2n - 1n]);
          });
        });

        describe("when the highest price is its price", () => {
          it("it moves the rest at its price and refunds what does not fill a second", async () => {
            const w = world();
            const id = await w.open();
            const rate = w.rate * 2n;
            const providerId = await w.provide(w.parties.rival, rate, { serviceType: 1 });
            w.chain.pass(299);
            const paid = w.rate * 299n;
            const terms = { recipient: w.parties.rival, duration: 350n, rate, providerId, serviceType: 1 };
            await w.expect(redirecting(w, id, providerId, rate), {
              events: [w.created(2n, terms), redirected(id, 2n, paid, rate * 350n, w.rate), w.credited("payee", paid)],
              balances: { payer: w.rate },
              credits: { payee: paid },
            });
            assert.equal((await w.stream(2n)).providerId, Number(providerId));
          });
        });
      });

      describe("given its price is above what is left", () => {
        it("it reverts with DepositTooSmall", async () => {
          const w = world();
          const id = await w.open();
          const left = w.rate * 2n;
          const providerId = await w.provide(w.parties.rival, left + 1n);
          w.chain.pass(998);
          await w.refuses(redirecting(w, id, providerId, U64), "StreamPay_DepositTooSmall", [left, left + 1n]);
        });
      });

      describe("given its price is exactly what is left", () => {
        it("it opens a stream of one second", async () => {
          const w = world();
          const id = await w.open();
          const [rate, paid] = [w.rate * 2n, w.rate * 998n];
          const providerId = await w.provide(w.parties.rival, rate);
          w.chain.pass(998);
          await w.expect(redirecting(w, id, providerId, rate), {
            events: [
              w.created(2n, { recipient: w.parties.rival, duration: 1n, rate, providerId }),
              redirected(id, 2n, paid, rate, 0n),
              w.credited("payee", paid),
            ],
            credits: { payee: paid },
          });
        });
      });

      describe("given it is so cheap that the rest would last more than 365 days", () => {
        it("it moves 365 days and refunds the rest", async () => {
          const w = world();
          const id = await w.open({ rate: 40_000n });
          const providerId = await w.provide(w.parties.rival, 1n);
          const refunded = 40_000_000n - MAX_DURATION;
          await w.expect(redirecting(w, id, providerId), {
            events: [
              w.created(2n, { recipient: w.parties.rival, duration: MAX_DURATION, rate: 1n, providerId }),
              redirected(id, 2n, 0n, MAX_DURATION, refunded),
            ],
            balances: { payer: refunded },
          });
        });
      });

      describe("given time itself ends before the rest would", () => {
        it("it moves what fits and refunds the rest", async () => {
          const w = world();
          w.chain.now = END_OF_TIME - 1_000n;
          const id = await w.open({ rate: 10n });
          const providerId = await w.provide(w.parties.rival, 1n);
          await w.expect(redirecting(w, id, providerId), {
            events: [
              w.created(2n, { recipient: w.parties.rival, duration: 1_000n, rate: 1n, providerId }),
              redirected(id, 2n, 0n, 1_000n, 9_000n),
            ],
            balances: { payer: 9_000n },
          });
        });
      });

      describe("given the old stream had a provider too", () => {
        it("it records what the old one earned", async () => {
          const w = world();
          const old = await w.provide();
          const id = await w.open({ providerId: old });
          const providerId = await w.provide(w.parties.rival);
          w.chain.pass(300);
          const [paid, moved] = [w.rate * 300n, w.rate * 700n];
          await w.expect(redirecting(w, id, providerId), {
            events: [
              w.created(2n, { recipient: w.parties.rival, duration: 700n, providerId }),
              recorded(old, paid),
              redirected(id, 2n, paid, moved, 0n),
              w.credited("payee", paid),
            ],
            credits: { payee: paid },
          });
          assert.equal((await w.provider(providerId)).completions, 0n);
        });
      });
    });
  });

  describe("when the payer cannot be paid", () => {
    const world = inAsset("native coin");
    it("it credits the refund", async () => {
      const w = world();
      await w.chain.send(w.through("contractPayer", w.opening()));
      const providerId = await w.provide(w.parties.rival, w.rate - 1n);
      await w.setMood("contractPayer", "REJECT");
      const terms = { from: w.parties.contractPayer, recipient: w.parties.rival, duration: 1_000n, rate: w.rate - 1n, providerId };
      await w.expect(w.through("contractPayer", redirecting(w, 1n, providerId)), {
        events: [w.created(2n, terms), redirected(1n, 2n, 0n, (w.rate - 1n) * 1_000n, 1_000n), w.credited("contractPayer", 1_000n)],
        credits: { contractPayer: 1_000n },
      });
    });
  });
});
