import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { build, fresh, inAsset, MAX_DURATION, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const END_OF_TIME = 2n ** 32n - 1n;

const toppedUp = (w: World, id: bigint, amount: bigint, end: bigint, by = w.parties.payer) =>
  ["StreamToppedUp", { id, by, amount, end }] as const;

describe("topUpStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        await w.refuses(w.toppingUp(1n, w.rate), "StreamPay_UnknownStream", [1n]);
      });
    });

    describe("given the stream is closed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        const id = await w.open();
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
        await w.refuses(w.toppingUp(id, w.rate), "StreamPay_UnknownStream", [id]);
      });
    });

    describe("when another payer is named", () => {
      it("it reverts with PartiesMismatch", async () => {
        const w = world();
        const { payer, payee, stranger } = w.parties;
        const id = await w.open();
        await w.refuses(w.toppingUp(id, w.rate, payer, stranger, payee), "StreamPay_PartiesMismatch", [id, payer, payee]);
      });
    });

    describe("when another recipient is named", () => {
      it("it reverts with PartiesMismatch", async () => {
        const w = world();
        const { payer, payee, stranger } = w.parties;
        const id = await w.open();
        await w.refuses(w.toppingUp(id, w.rate, payer, payer, stranger), "StreamPay_PartiesMismatch", [id, payer, payee]);
      });
    });

    describe("given the stream is at its end", () => {
      it("it reverts with StreamEnded", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(1_000);
        await w.refuses(w.toppingUp(id, w.rate), "StreamPay_StreamEnded", [id, w.chain.now]);
      });
    });

    describe("when the amount pays less than a second", () => {
      it("it reverts with DepositTooSmall", async () => {
        const w = world();
        const id = await w.open();
        await w.refuses(w.toppingUp(id, w.rate - 1n), "StreamPay_DepositTooSmall", [w.rate - 1n, w.rate]);
      });
    });

    describe("when the stream would last longer than 365 days from now", () => {
      it("it reverts with DurationOutOfRange", async () => {
        const w = world();
        const id = await w.open({ rate: 1n });
        const added = MAX_DURATION - 999n;
        await w.refuses(w.toppingUp(id, added), "StreamPay_DurationOutOfRange", [MAX_DURATION + 1n, MAX_DURATION]);
      });
    });

    describe("when the stream would end beyond 32 bits of time", () => {
      it("it reverts with DurationOutOfRange", async () => {
        const w = world();
        w.chain.now = END_OF_TIME - 1_500n;
        const id = await w.open();
        await w.refuses(w.toppingUp(id, w.rate * 501n), "StreamPay_DurationOutOfRange", [1_501n, 1_500n]);
      });
    });

    describe("when the stream would then last exactly 365 days from now", () => {
      it("it moves the end", async () => {
        const w = world();
        const id = await w.open({ rate: 1n });
        w.chain.pass(400);
        const added = MAX_DURATION - 600n;
        const end = w.chain.now + MAX_DURATION;
        await w.expect(w.toppingUp(id, added), { events: [toppedUp(w, id, added, end)], balances: { payer: -added } });
      });
    });

    describe("when the amount pays whole seconds", () => {
      it("it moves the end and nothing else", async () => {
        const w = world();
        const id = await w.open();
        const before = await w.stream(id);
        w.chain.pass(999);
        const end = BigInt(before.end) + 7n;
        await w.expect(w.toppingUp(id, w.rate * 7n), { events: [toppedUp(w, id, w.rate * 7n, end)], balances: { payer: -w.rate * 7n } });
        assert.deepEqual(await w.stream(id), { ...before, end: before.end + 7 });
      });
    });

    describe("when the amount leaves a remainder", () => {
      it("it leaves the remainder with the caller", async () => {
        const w = world();
        const id = await w.open();
        const end = w.chain.now + 1_001n;
        const call = w.toppingUp(id, w.rate * 2n - 1n);
        await w.expect(call, { events: [toppedUp(w, id, w.rate, end)], balances: { payer: -w.rate } });
      });
    });

    describe("when a stranger pays", () => {
      it("it moves the end, and a refund of it is the payer's", async () => {
        const w = world();
        const { stranger, payer } = w.parties;
        const id = await w.open();
        const call = w.toppingUp(id, w.rate * 10n, stranger);
        const event = toppedUp(w, id, w.rate * 10n, w.chain.now + 1_010n, stranger);
        await w.expect(call, { events: [event], balances: { stranger: -w.rate * 10n } });
        await w.expect(w.call(payer, "cancelStream", [id]), {
          events: [["StreamCancelled", { id, by: payer, paid: 0n, refunded: w.rate * 1_010n }]],
          balances: { payer: w.rate * 1_010n },
        });
      });
    });
  });

  describe("when coin is sent", () => {
    describe("given the stream is in an ERC-20", () => {
      const world = inAsset("18 decimals");
      it("it reverts with UnexpectedValue", async () => {
        const w = world();
        const id = await w.open();
        const { payer, payee } = w.parties;
        await w.refuses(w.call(payer, "topUpStream", [id, payer, payee], w.rate), "StreamPay_UnexpectedValue", [w.rate]);
      });
    });

    describe("given the remainder cannot be pushed back", () => {
      const world = inAsset("native coin");
      it("it credits the remainder to the caller", async () => {
        const w = world();
        const id = await w.open();
        await w.setMood("contractPayer", "REJECT");
        const call = w.toppingUp(id, w.rate + 5n, w.parties.contractPayer);
        await w.expect(w.through("contractPayer", call), {
          events: [toppedUp(w, id, w.rate, w.chain.now + 1_001n, w.parties.contractPayer), w.credited("contractPayer", 5n)],
          balances: { contractPayer: -w.rate - 5n },
          credits: { contractPayer: 5n },
        });
      });
    });
  });

  describe("when tokens are offered", () => {
    describe("given the stream is in the native coin", () => {
      const world = inAsset("native coin");
      it("it reverts with NativeStream", async () => {
        const w = world();
        const id = await w.open();
        const { payer, payee } = w.parties;
        await w.refuses(w.call(payer, "topUpStream", [id, payer, payee, w.rate]), "StreamPay_NativeStream", [id]);
      });
    });

    describe("given the token keeps a fee by now", () => {
      const world = fresh(() => build("18 decimals", ["MoodyToken", []]));
      it("it reverts with DeliveredLess", async () => {
        const w = world();
        assert(w.token);
        const id = await w.open();
        await w.chain.send({ from: w.parties.payer, to: w.token, fn: "setKeepsFee", args: [true] });
        const cost = w.rate * 100n;
        await w.refuses(w.toppingUp(id, cost), "StreamPay_DeliveredLess", [cost - cost / 100n, cost]);
      });
    });
  });
});
