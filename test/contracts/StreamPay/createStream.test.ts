import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { build, fresh, inAsset, MAX_DURATION, shouldBehaveTheSameInEveryAsset, U64 } from "./world.ts";

const END_OF_TIME = 2n ** 32n - 1n;

describe("createStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("when the recipient is the zero address", () => {
      it("it reverts with ZeroRecipient", async () => {
        const w = world();
        await w.refuses(w.opening({ recipient: zeroAddress }), "StreamPay_ZeroRecipient");
      });
    });

    describe("when the duration is zero", () => {
      it("it reverts with DurationOutOfRange", async () => {
        const w = world();
        await w.refuses(w.opening({ duration: 0n, extra: 5n }), "StreamPay_DurationOutOfRange", [0n, MAX_DURATION]);
      });
    });

    describe("when the duration is above 365 days", () => {
      it("it reverts with DurationOutOfRange", async () => {
        const w = world();
        const duration = MAX_DURATION + 1n;
        await w.refuses(w.opening({ duration, rate: 1n }), "StreamPay_DurationOutOfRange", [duration, MAX_DURATION]);
      });
    });

    describe("when the end would lie beyond 32 bits of time", () => {
      it("it reverts with DurationOutOfRange and what would fit", async () => {
        const w = world();
        w.chain.now = END_OF_TIME - 1_000n;
        await w.refuses(w.opening({ duration: 1_001n }), "StreamPay_DurationOutOfRange", [1_001n, 1_000n]);
        w.chain.now = END_OF_TIME;
        await w.refuses(w.opening({ duration: 1n }), "StreamPay_DurationOutOfRange", [1n, 0n]);
        w.chain.now = END_OF_TIME + 5n;
        await w.refuses(w.opening({ duration: 1n }), "StreamPay_DurationOutOfRange", [1n, 0n]);
      });
    });

    describe("when the end is the last moment that fits 32 bits of time", () => {
      it("it opens the stream", async () => {
        const w = world();
        w.chain.now = END_OF_TIME - 1_000n;
        await w.expect(w.opening(), { events: [w.created(1n)], balances: { payer: -w.rate * 1_000n } });
      });
    });

    describe("when a year from now is the last moment that fits 32 bits of time", () => {
      it("it allows a year and not a second more", async () => {
        const w = world();
        w.chain.now = END_OF_TIME - MAX_DURATION;
        const terms = { duration: MAX_DURATION, rate: 1n };
        await w.refuses(w.opening({ ...terms, duration: MAX_DURATION + 1n }), "StreamPay_DurationOutOfRange", [
          MAX_DURATION + 1n,
          MAX_DURATION,
        ]);
        await w.expect(w.opening(terms), { events: [w.created(1n, terms)], balances: { payer: -MAX_DURATION } });
      });
    });

    describe("when the deposit does not pay one unit a second", () => {
      it("it reverts with DepositTooSmall", async () => {
        const w = world();
        await w.refuses(w.opening({ rate: 0n, extra: 999n }), "StreamPay_DepositTooSmall", [999n, 1_000n]);
      });
    });

    describe("when the rate does not fit 64 bits", () => {
      it("it reverts with RateOutOfRange", async () => {
        const w = world();
        await w.refuses(w.opening({ duration: 1n, rate: U64 + 1n }), "StreamPay_RateOutOfRange", [U64 + 1n, U64]);
      });
    });

    describe("when the rate is the largest that fits 64 bits", () => {
      it("it opens the stream", async () => {
        const w = world();
        const terms = { duration: 1n, rate: U64 };
        await w.expect(w.opening(terms), { events: [w.created(1n, terms)], balances: { payer: -U64 } });
      });
    });

    describe("when the duration is one second", () => {
      it("it opens the stream", async () => {
        const w = world();
        await w.expect(w.opening({ duration: 1n }), { events: [w.created(1n, { duration: 1n })], balances: { payer: -w.rate } });
      });
    });

    describe("when the duration is 365 days at one unit a second", () => {
      it("it opens the stream", async () => {
        const w = world();
        const terms = { duration: MAX_DURATION, rate: 1n };
        await w.expect(w.opening(terms), { events: [w.created(1n, terms)], balances: { payer: -MAX_DURATION } });
      });
    });

    describe("when the deposit divides by the duration", () => {
      it("it opens the stream with the next id and keeps all of it", async () => {
        const w = world();
        await w.expect(w.opening(), { events: [w.created(1n)], balances: { payer: -w.rate * 1_000n } });
        await w.expect(w.opening({ rate: 3n, serviceType: 3 }), {
          events: [w.created(2n, { rate: 3n, serviceType: 3 })],
          balances: { payer: -3_000n },
        });
        const start = Number(w.chain.now);
        const { payer, payee } = w.parties;
        const stream = { payer, payee, asset: w.asset, ratePerSecond: w.rate, start, end: start + 1_000, lastPaid: start, providerId: 0 };
        assert.deepEqual(await w.stream(1n), stream);
        assert.deepEqual(await w.stream(2n), { ...stream, ratePerSecond: 3n });
      });
    });

    describe("when the deposit leaves a remainder", () => {
      it("it keeps what divides and leaves the rest with the payer", async () => {
        const w = world();
        await w.expect(w.opening({ extra: 999n }), { events: [w.created(1n)], balances: { payer: -w.rate * 1_000n } });
      });
    });

    describe("when payer and recipient are the same", () => {
      it("it opens the stream", async () => {
        const w = world();
        const terms = { recipient: w.parties.payer };
        await w.expect(w.opening(terms), { events: [w.created(1n, terms)], balances: { payer: -w.rate * 1_000n } });
      });
    });

    describe("when no provider is named", () => {
      describe("when the service type is above 3", () => {
        it("it reverts with UnknownServiceType", async () => {
          const w = world();
          await w.refuses(w.opening({ serviceType: 4 }), "StreamPay_UnknownServiceType", [4n]);
        });
      });
    });

    describe("when a provider is named", () => {
      describe("given it was never registered", () => {
        it("it reverts with the registry's UnknownProvider", async () => {
          const w = world();
          await w.refuses(w.opening({ providerId: 7n }), "ComputeRegistry_UnknownProvider", [7n]);
        });
      });

      describe("given it is inactive", () => {
        it("it reverts with ProviderInactive", async () => {
          const w = world();
          const providerId = await w.provide();
          await w.update(providerId, w.rate, false);
          await w.refuses(w.opening({ providerId }), "StreamPay_ProviderInactive", [providerId]);
        });
      });

      describe("given the recipient does not own it", () => {
        it("it reverts with RecipientNotProvider", async () => {
          const w = world();
          const providerId = await w.provide();
          const recipient = w.parties.rival;
          await w.refuses(w.opening({ providerId, recipient }), "StreamPay_RecipientNotProvider", [recipient, w.parties.payee]);
        });
      });

      describe("given its price is in another asset", () => {
        it("it reverts with AssetMismatch", async () => {
          const w = world();
          const other = w.native ? w.registry.address : zeroAddress;
          const providerId = await w.provide(w.parties.payee, w.rate, { asset: other });
          await w.refuses(w.opening({ providerId }), "StreamPay_AssetMismatch", [w.asset, other]);
        });
      });

      describe("given its price is above the rate", () => {
        it("it reverts with RateBelowPrice", async () => {
          const w = world();
          const providerId = await w.provide(w.parties.payee, w.rate + 1n);
          await w.refuses(w.opening({ providerId, extra: 999n }), "StreamPay_RateBelowPrice", [w.rate, w.rate + 1n]);
        });
      });

      describe("given it serves something else", () => {
        it("it reverts with ServiceTypeMismatch", async () => {
          const w = world();
          const providerId = await w.provide(w.parties.payee, w.rate, { serviceType: 2 });
          await w.refuses(w.opening({ providerId, serviceType: 1 }), "StreamPay_ServiceTypeMismatch", [1, 2]);
        });
      });

      describe("given its price is the rate", () => {
        it("it opens the stream for the provider", async () => {
          const w = world();
          const terms = { providerId: await w.provide() };
          await w.expect(w.opening(terms), { events: [w.created(1n, terms)], balances: { payer: -w.rate * 1_000n } });
          assert.equal((await w.stream(1n)).providerId, 1);
        });
      });

      describe("given its price is below the rate", () => {
        it("it opens the stream at the payer's rate", async () => {
          const w = world();
          const providerId = await w.provide(w.parties.payee, w.rate - 1n, { serviceType: 3 });
          const terms = { providerId, serviceType: 3 };
          await w.expect(w.opening(terms), { events: [w.created(1n, terms)], balances: { payer: -w.rate * 1_000n } });
        });
      });
    });
  });

  describe("when the asset is the native coin", () => {
    const world = inAsset("native coin");

    describe("when a remainder cannot be pushed back", () => {
      it("it credits the remainder to the payer", async () => {
        const w = world();
        const { contractPayer } = w.parties;
        await w.setMood("contractPayer", "REJECT");
        const terms = { from: contractPayer };
        await w.expect(w.through("contractPayer", w.opening({ ...terms, extra: 7n })), {
          events: [w.created(1n, terms), w.credited("contractPayer", 7n)],
          balances: { contractPayer: -w.rate * 1_000n - 7n },
          credits: { contractPayer: 7n },
        });
      });
    });
  });

  describe("when the asset is an ERC-20", () => {
    const world = inAsset("18 decimals");

    describe("when the asset has no code", () => {
      it("it reverts with AssetNotContract", async () => {
        const w = world();
        const { stranger, payer, payee } = w.parties;
        for (const asset of [stranger, zeroAddress]) {
          await w.refuses(w.call(payer, "createStream", [asset, 1_000n, payee, 10n, 0, 0n]), "StreamPay_AssetNotContract", [asset]);
        }
      });
    });

    describe("when the allowance is too small", () => {
      it("it reverts with the token's error", async () => {
        const w = world();
        assert(w.token);
        const deposit = w.rate * 1_000n;
        await w.chain.send({ from: w.parties.payer, to: w.token, fn: "approve", args: [w.streamPay.address, deposit - 1n] });
        await w.refuses(w.opening(), "ERC20InsufficientAllowance", [w.streamPay.address, deposit - 1n, deposit]);
      });
    });

    describe("when value is sent as well", () => {
      it("it reverts", async () => {
        const w = world();
        await w.refuses({ ...w.opening(), value: 1n }, "nothing");
      });
    });

    describe("given the token keeps a fee", () => {
      const feeWorld = fresh(() => build("18 decimals", ["FeeToken", []]));
      it("it reverts with DeliveredLess", async () => {
        const w = feeWorld();
        const deposit = w.rate * 1_000n;
        await w.refuses(w.opening(), "StreamPay_DeliveredLess", [deposit - deposit / 100n, deposit]);
      });
    });
  });
});
