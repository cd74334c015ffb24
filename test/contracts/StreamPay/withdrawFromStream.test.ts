import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inAsset, recorded, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const withdrawing = (w: World, id: bigint, from = w.parties.payee) => w.call(from, "withdrawFromStream", [id]);
const withdrawn = (w: World, id: bigint, amount: bigint) => ["StreamWithdrawn", { id, payee: w.parties.payee, amount }] as const;
const CLOSED = 3;

describe("withdrawFromStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        await w.refuses(withdrawing(w, 1n), "StreamPay_UnknownStream", [1n]);
      });
    });

    describe("given the stream is closed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        const id = await w.open();
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
        w.chain.pass(10);
        await w.refuses(withdrawing(w, id), "StreamPay_UnknownStream", [id]);
      });
    });

    describe("when the caller is not the payee", () => {
      it("it reverts with NotPayee", async () => {
        const w = world();
        const { payer, payee, stranger } = w.parties;
        const id = await w.open();
        w.chain.pass(10);
        for (const from of [payer, stranger]) await w.refuses(withdrawing(w, id, from), "StreamPay_NotPayee", [id, from, payee]);
      });
    });

    describe("given nothing accrued", () => {
      it("it reverts with NothingToWithdraw", async () => {
        const w = world();
        const id = await w.open();
        await w.refuses(withdrawing(w, id), "StreamPay_NothingToWithdraw", [id]);
        w.chain.pass(10);
        await w.chain.send(withdrawing(w, id));
        await w.refuses(withdrawing(w, id), "StreamPay_NothingToWithdraw", [id]);
      });
    });

    describe("given something accrued", () => {
      describe("given the stream is not at its end", () => {
        it("it pays what accrued and moves only lastPaid", async () => {
          const w = world();
          const id = await w.open();
          const before = await w.stream(id);
          w.chain.pass(7);
          await w.expect(withdrawing(w, id), { events: [withdrawn(w, id, w.rate * 7n)], balances: { payee: w.rate * 7n } });
          assert.deepEqual(await w.stream(id), { ...before, lastPaid: before.lastPaid + 7 });
          w.chain.pass(992);
          await w.expect(withdrawing(w, id), { events: [withdrawn(w, id, w.rate * 992n)], balances: { payee: w.rate * 992n } });
        });
      });

      describe("given the stream is at its end", () => {
        it("it pays the rest and closes the stream", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(1_000);
          await w.expect(withdrawing(w, id), { events: [withdrawn(w, id, w.rate * 1_000n)], balances: { payee: w.rate * 1_000n } });
          assert.equal(await w.read("statusOf", [id]), CLOSED);
          assert.deepEqual(await w.stream(id), GONE);
        });
      });

      describe("given the stream is long past its end", () => {
        it("it pays the rest and nothing for the time after", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(400);
          await w.chain.send(withdrawing(w, id));
          w.chain.pass(5_000_000);
          await w.expect(withdrawing(w, id), { events: [withdrawn(w, id, w.rate * 600n)], balances: { payee: w.rate * 600n } });
          assert.deepEqual(await w.stream(id), GONE);
        });
      });

      describe("given the stream has a provider", () => {
        it("it records the payment before it announces it", async () => {
          const w = world();
          const providerId = await w.provide();
          const id = await w.open({ providerId });
          for (const seconds of [7n, 993n]) {
            w.chain.pass(seconds);
            const paid = w.rate * seconds;
            await w.expect(withdrawing(w, id), { events: [recorded(providerId, paid), withdrawn(w, id, paid)], balances: { payee: paid } });
          }
          const { completions, earned } = await w.provider(providerId);
          assert.deepEqual([completions, earned], [2n, w.rate * 1_000n]);
        });
      });
    });
  });

  describe("when the payee cannot be paid", () => {
    const world = inAsset("native coin");
    it("it credits the payee and goes on", async () => {
      const w = world();
      const { contractPayee } = w.parties;
      const id = await w.open({ recipient: contractPayee });
      await w.setMood("contractPayee", "REJECT");
      w.chain.pass(7);
      await w.expect(w.through("contractPayee", withdrawing(w, id, contractPayee)), {
        events: [["StreamWithdrawn", { id, payee: contractPayee, amount: w.rate * 7n }], w.credited("contractPayee", w.rate * 7n)],
        credits: { contractPayee: w.rate * 7n },
      });
      await w.setMood("contractPayee", "ACCEPT");
      w.chain.pass(7);
      await w.expect(w.through("contractPayee", withdrawing(w, id, contractPayee)), {
        events: [["StreamWithdrawn", { id, payee: contractPayee, amount: w.rate * 7n }]],
        balances: { contractPayee: w.rate * 7n },
      });
    });
  });
});

const GONE = {
  payer: zeroAddress,
  payee: zeroAddress,
  asset: zeroAddress,
  ratePerSecond: 0n,
  start: 0,
  end: 0,
  lastPaid: 0,
  providerId: 0,
};
