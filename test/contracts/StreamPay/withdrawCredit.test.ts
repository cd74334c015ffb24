import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inAsset, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const collecting = (w: World, to = w.parties.payee, from = w.parties.payee, asset = w.asset) => w.call(from, "withdrawCredit", [asset, to]);
const collected = (w: World, to: string, amount: bigint, account = w.parties.payee) =>
  ["CreditWithdrawn", { account, asset: w.asset, to, amount }] as const;

/** Leaves the payee a credit of ten seconds. */
async function creditPayee(w: World): Promise<bigint> {
  const id = await w.open();
  w.chain.pass(10);
  await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
  return w.rate * 10n;
}

describe("withdrawCredit", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("when the address to pay is zero", () => {
      it("it reverts with ZeroRecipient", async () => {
        const w = world();
        await creditPayee(w);
        await w.refuses(collecting(w, zeroAddress), "StreamPay_ZeroRecipient");
      });
    });

    describe("given no credit", () => {
      it("it reverts with NothingCredited", async () => {
        const w = world();
        await creditPayee(w);
        const { payer, stranger } = w.parties;
        await w.refuses(collecting(w, payer, payer), "StreamPay_NothingCredited", [payer, w.asset]);
        await w.refuses(collecting(w, stranger, stranger), "StreamPay_NothingCredited", [stranger, w.asset]);
      });
    });

    describe("given a credit in another asset only", () => {
      it("it reverts with NothingCredited", async () => {
        const w = world();
        await creditPayee(w);
        const other = w.native ? w.registry.address : zeroAddress;
        await w.refuses(collecting(w, w.parties.payee, w.parties.payee, other), "StreamPay_NothingCredited", [w.parties.payee, other]);
      });
    });

    describe("given a credit", () => {
      describe("when it goes to its owner", () => {
        it("it pays all of it, once", async () => {
          const w = world();
          const amount = await creditPayee(w);
          await w.expect(collecting(w), {
            events: [collected(w, w.parties.payee, amount)],
            balances: { payee: amount },
            credits: { payee: -amount },
          });
          await w.refuses(collecting(w), "StreamPay_NothingCredited", [w.parties.payee, w.asset]);
        });
      });

      describe("when it goes to another address", () => {
        it("it pays that address", async () => {
          const w = world();
          const amount = await creditPayee(w);
          await w.expect(collecting(w, w.parties.stranger), {
            events: [collected(w, w.parties.stranger, amount)],
            balances: { stranger: amount },
            credits: { payee: -amount },
          });
        });
      });

      describe("given credits were added twice", () => {
        it("it pays the sum", async () => {
          const w = world();
          const amount = (await creditPayee(w)) + (await creditPayee(w));
          await w.expect(collecting(w), {
            events: [collected(w, w.parties.payee, amount)],
            balances: { payee: amount },
            credits: { payee: -amount },
          });
        });
      });
    });
  });

  describe("when the transfer fails", () => {
    const world = inAsset("native coin");
    it("it reverts with TransferFailed and keeps the credit", async () => {
      const w = world();
      const amount = await creditPayee(w);
      await w.setMood("contractPayee", "REJECT");
      const to = w.parties.contractPayee;
      await w.refuses(collecting(w, to), "StreamPay_TransferFailed", [to, amount]);
      assert.equal(await w.credit(w.parties.payee), amount);
    });
  });

  describe("when the receiver needs more gas than a push allows", () => {
    const world = inAsset("native coin");
    it("it pays", async () => {
      const w = world();
      const amount = await creditPayee(w);
      const glutton = await w.chain.deploy("Glutton", [300_000n]);
      const before = await w.balanceOf(glutton.address);
      await w.chain.send(collecting(w, glutton.address));
      assert.equal((await w.balanceOf(glutton.address)) - before, amount);
    });
  });
});
