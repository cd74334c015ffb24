import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inAsset, recorded, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const cancelling = (w: World, id: bigint, from = w.parties.payer) => w.call(from, "cancelStream", [id]);
const cancelled = (id: bigint, by: string, paid: bigint, refunded: bigint) => ["StreamCancelled", { id, by, paid, refunded }] as const;
const CLOSED = 3;

describe("cancelStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        await w.refuses(cancelling(w, 1n), "StreamPay_UnknownStream", [1n]);
      });
    });

    describe("given the stream is closed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        const id = await w.open();
        await w.chain.send(cancelling(w, id));
        for (const from of [w.parties.payer, w.parties.payee]) await w.refuses(cancelling(w, id, from), "StreamPay_UnknownStream", [id]);
      });
    });

    describe("when the caller is no party", () => {
      it("it reverts with NotParty", async () => {
        const w = world();
        const id = await w.open();
        await w.refuses(cancelling(w, id, w.parties.stranger), "StreamPay_NotParty", [id, w.parties.stranger]);
      });
    });

    describe("when the payer cancels", () => {
      describe("given nothing accrued", () => {
        it("it refunds everything", async () => {
          const w = world();
          const id = await w.open();
          const all = w.rate * 1_000n;
          await w.expect(cancelling(w, id), { events: [cancelled(id, w.parties.payer, 0n, all)], balances: { payer: all } });
          assert.equal(await w.read("statusOf", [id]), CLOSED);
        });
      });

      describe("given a part accrued", () => {
        it("it credits the payee and refunds the payer", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(300);
          const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
          await w.expect(cancelling(w, id), {
            events: [cancelled(id, w.parties.payer, paid, refunded), w.credited("payee", paid)],
            balances: { payer: refunded },
            credits: { payee: paid },
          });
        });
      });

      describe("given a part was withdrawn before", () => {
        it("it credits what accrued since and refunds the rest", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(100);
          await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [id]));
          w.chain.pass(200);
          const [paid, refunded] = [w.rate * 200n, w.rate * 700n];
          await w.expect(cancelling(w, id), {
            events: [cancelled(id, w.parties.payer, paid, refunded), w.credited("payee", paid)],
            balances: { payer: refunded },
            credits: { payee: paid },
          });
        });
      });

      describe("given the stream is past its end", () => {
        it("it credits everything to the payee", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(5_000);
          const all = w.rate * 1_000n;
          await w.expect(cancelling(w, id), {
            events: [cancelled(id, w.parties.payer, all, 0n), w.credited("payee", all)],
            credits: { payee: all },
          });
        });
      });
    });

    describe("when the payee cancels", () => {
      describe("given a part accrued", () => {
        it("it pays the payee and credits the payer", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(300);
          const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
          await w.expect(cancelling(w, id, w.parties.payee), {
            events: [cancelled(id, w.parties.payee, paid, refunded), w.credited("payer", refunded)],
            balances: { payee: paid },
            credits: { payer: refunded },
          });
          assert.equal(await w.read("statusOf", [id]), CLOSED);
        });
      });

      describe("given nothing accrued", () => {
        it("it credits everything to the payer", async () => {
          const w = world();
          const id = await w.open();
          const all = w.rate * 1_000n;
          await w.expect(cancelling(w, id, w.parties.payee), {
            events: [cancelled(id, w.parties.payee, 0n, all), w.credited("payer", all)],
            credits: { payer: all },
          });
        });
      });

      describe("given the stream is at its end", () => {
        it("it pays everything to the payee", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(1_000);
          const all = w.rate * 1_000n;
          await w.expect(cancelling(w, id, w.parties.payee), {
            events: [cancelled(id, w.parties.payee, all, 0n)],
            balances: { payee: all },
          });
        });
      });
    });

    describe("when payer and payee are the same", () => {
      it("it credits the one share and pays the other", async () => {
        const w = world();
        const id = await w.open({ recipient: w.parties.payer });
        w.chain.pass(300);
        const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
        await w.expect(cancelling(w, id), {
          events: [cancelled(id, w.parties.payer, paid, refunded), w.credited("payer", paid)],
          balances: { payer: refunded },
          credits: { payer: paid },
        });
      });
    });

    describe("given the stream has a provider", () => {
      describe("given something accrued", () => {
        it("it records one completion", async () => {
          const w = world();
          const providerId = await w.provide();
          const id = await w.open({ providerId });
          w.chain.pass(300);
          const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
          await w.expect(cancelling(w, id), {
            events: [recorded(providerId, paid), cancelled(id, w.parties.payer, paid, refunded), w.credited("payee", paid)],
            balances: { payer: refunded },
            credits: { payee: paid },
          });
        });
      });

      describe("given nothing accrued", () => {
        it("it records nothing", async () => {
          const w = world();
          const providerId = await w.provide();
          const id = await w.open({ providerId });
          const all = w.rate * 1_000n;
          await w.expect(cancelling(w, id), { events: [cancelled(id, w.parties.payer, 0n, all)], balances: { payer: all } });
          assert.equal((await w.provider(providerId)).completions, 0n);
        });
      });
    });
  });

  describe("when the caller cannot be paid", () => {
    const world = inAsset("native coin");

    describe("when it is the payer", () => {
      it("it credits both parties", async () => {
        const w = world();
        const { contractPayer } = w.parties;
        const id = await w.open({ from: w.parties.payer });
        assert.equal(id, 1n);
        await w.chain.send(w.through("contractPayer", w.opening({ from: contractPayer })));
        await w.setMood("contractPayer", "REJECT");
        w.chain.pass(300);
        const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
        await w.expect(w.through("contractPayer", cancelling(w, 2n)), {
          events: [cancelled(2n, contractPayer, paid, refunded), w.credited("payee", paid), w.credited("contractPayer", refunded)],
          credits: { payee: paid, contractPayer: refunded },
        });
      });
    });

    describe("when it is the payee", () => {
      it("it credits both parties", async () => {
        const w = world();
        const { contractPayee } = w.parties;
        const id = await w.open({ recipient: contractPayee });
        await w.setMood("contractPayee", "REJECT");
        w.chain.pass(300);
        const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
        await w.expect(w.through("contractPayee", cancelling(w, id)), {
          events: [cancelled(id, contractPayee, paid, refunded), w.credited("payer", refunded), w.credited("contractPayee", paid)],
          credits: { payer: refunded, contractPayee: paid },
        });
      });
    });
  });
});
