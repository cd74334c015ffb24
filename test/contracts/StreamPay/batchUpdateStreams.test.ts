import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { build, fresh, inAsset, recorded, reward, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

const updating = (w: World, ids: readonly bigint[], from = w.parties.keeper) => w.call(from, "batchUpdateStreams", [ids]);
const updated = (id: bigint, accrued: bigint, completed = false) =>
  ["StreamUpdated", { id, accrued, reward: reward(accrued), completed }] as const;
const CLOSED = 3;

describe("batchUpdateStreams", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("when there are more than 500 ids", () => {
      it("it reverts with TooManyIds", async () => {
        const w = world();
        await w.refuses(updating(w, Array(501).fill(1n)), "StreamPay_TooManyIds", [501n, 500n]);
      });
    });

    describe("when there are 500 ids", () => {
      it("it updates what there is", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(10);
        const accrued = w.rate * 10n;
        const payout = accrued - reward(accrued);
        await w.expect(updating(w, [...Array(499).fill(77n), id]), {
          events: [updated(id, accrued), w.credited("payee", payout)],
          balances: { keeper: reward(accrued) },
          credits: { payee: payout },
        });
      });
    });

    describe("when there are no ids", () => {
      it("it does nothing", async () => {
        await world().expect(updating(world(), []), { events: [] });
      });
    });

    describe("when an id is unknown, closed, empty or there twice", () => {
      it("it skips the id and updates the others", async () => {
        const w = world();
        const closed = await w.open();
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [closed]));
        const id = await w.open();
        w.chain.pass(10);
        const empty = await w.open();
        const accrued = w.rate * 10n;
        const payout = accrued - reward(accrued);
        await w.expect(updating(w, [0n, closed, 2n ** 256n - 1n, empty, id, id, closed]), {
          events: [updated(id, accrued), w.credited("payee", payout)],
          balances: { keeper: reward(accrued) },
          credits: { payee: payout },
        });
      });
    });

    describe("given the stream is not at its end", () => {
      it("it credits the payee, pays the keeper and moves only lastPaid", async () => {
        const w = world();
        const id = await w.open();
        const before = await w.stream(id);
        w.chain.pass(10);
        const accrued = w.rate * 10n;
        const payout = accrued - reward(accrued);
        await w.expect(updating(w, [id]), {
          events: [updated(id, accrued), w.credited("payee", payout)],
          balances: { keeper: reward(accrued) },
          credits: { payee: payout },
        });
        assert.deepEqual(await w.stream(id), { ...before, lastPaid: before.lastPaid + 10 });
      });
    });

    describe("given the stream is at its end", () => {
      it("it credits the rest and closes the stream", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(1_000);
        const accrued = w.rate * 1_000n;
        const payout = accrued - reward(accrued);
        await w.expect(updating(w, [id]), {
          events: [updated(id, accrued, true), w.credited("payee", payout)],
          balances: { keeper: reward(accrued) },
          credits: { payee: payout },
        });
        assert.equal(await w.read("statusOf", [id]), CLOSED);
      });
    });

    describe("given the stream is long past its end and was updated before", () => {
      it("it credits the rest and nothing for the time after", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(400);
        await w.chain.send(updating(w, [id]));
        w.chain.pass(5_000_000);
        const accrued = w.rate * 600n;
        const payout = accrued - reward(accrued);
        await w.expect(updating(w, [id]), {
          events: [updated(id, accrued, true), w.credited("payee", payout)],
          balances: { keeper: reward(accrued) },
          credits: { payee: payout },
        });
      });
    });

    describe("given so little accrued that the reward rounds to nothing", () => {
      it("it credits all of it to the payee", async () => {
        const w = world();
        const id = await w.open({ rate: 999n });
        w.chain.pass(1);
        await w.expect(updating(w, [id]), { events: [updated(id, 999n), w.credited("payee", 999n)], credits: { payee: 999n } });
      });
    });

    describe("given just enough accrued for a reward of one unit", () => {
      it("it pays the keeper one unit", async () => {
        const w = world();
        const id = await w.open({ rate: 1_000n });
        w.chain.pass(1);
        await w.expect(updating(w, [id]), {
          events: [updated(id, 1_000n), w.credited("payee", 999n)],
          balances: { keeper: 1n },
          credits: { payee: 999n },
        });
      });
    });

    describe("when neighbours share payee and provider", () => {
      it("it credits and records them together and rounds each reward by itself", async () => {
        const w = world();
        const providerId = await w.provide();
        const ids = [await w.open({ providerId }), await w.open({ providerId, rate: w.rate + 1n }), await w.open({ providerId })];
        w.chain.pass(11);
        const accrued = [w.rate * 11n, (w.rate + 1n) * 11n, w.rate * 11n];
        const rewards = accrued.reduce((sum, amount) => sum + reward(amount), 0n);
        const payout = accrued.reduce((sum, amount) => sum + amount, 0n) - rewards;
        await w.expect(updating(w, ids), {
          events: [...ids.map((id, i) => updated(id, accrued[i] ?? 0n)), recorded(providerId, payout, 3n), w.credited("payee", payout)],
          balances: { keeper: rewards },
          credits: { payee: payout },
        });
        const { completions, earned } = await w.provider(providerId);
        assert.deepEqual([completions, earned], [3n, payout]);
      });
    });

    describe("when neighbours differ in payee or provider", () => {
      it("it credits and records each by itself", async () => {
        const w = world();
        const { payee, rival } = w.parties;
        const [one, other] = [await w.provide(payee), await w.provide(payee)];
        const foreign = await w.provide(rival);
        const ids = [
          await w.open({ providerId: one }),
          await w.open({ providerId: other }),
          await w.open({ providerId: foreign, recipient: rival }),
          await w.open(),
          await w.open({ recipient: rival }),
        ];
        w.chain.pass(11);
        const accrued = w.rate * 11n;
        const payout = accrued - reward(accrued);
        const [e1, e2, e3, e4, e5] = ids.map((id) => updated(id, accrued));
        assert(e1 && e2 && e3 && e4 && e5);
        await w.expect(updating(w, ids), {
          events: [
            e1,
            ...[e2, recorded(one, payout), w.credited("payee", payout)],
            ...[e3, recorded(other, payout), w.credited("payee", payout)],
            ...[e4, recorded(foreign, payout), w.credited("rival", payout)],
            ...[e5, w.credited("payee", payout)],
            w.credited("rival", payout),
          ],
          balances: { keeper: reward(accrued) * 5n },
          credits: { payee: payout * 3n, rival: payout * 2n },
        });
      });
    });

    describe("when the keeper is the payee", () => {
      it("it pays the reward out of the payee's own money", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(10);
        const accrued = w.rate * 10n;
        const payout = accrued - reward(accrued);
        await w.expect(updating(w, [id], w.parties.payee), {
          events: [updated(id, accrued), w.credited("payee", payout)],
          balances: { payee: reward(accrued) },
          credits: { payee: payout },
        });
      });
    });
  });

  describe("when the keeper cannot be paid", () => {
    const world = inAsset("native coin");
    it("it credits the reward", async () => {
      const w = world();
      const id = await w.open();
      await w.setMood("contractPayee", "REJECT");
      w.chain.pass(10);
      const accrued = w.rate * 10n;
      const payout = accrued - reward(accrued);
      await w.expect(w.through("contractPayee", updating(w, [id])), {
        events: [updated(id, accrued), w.credited("payee", payout), w.credited("contractPayee", reward(accrued))],
        credits: { payee: payout, contractPayee: reward(accrued) },
      });
    });
  });

  describe("when the streams are in several assets", () => {
    const world = fresh(() => build("native coin"));
    it("it pays the keeper once per asset", async () => {
      const w = world();
      const { payer, payee, keeper } = w.parties;
      const tokens = [await w.chain.deploy("MockToken", ["A", "A", 18]), await w.chain.deploy("MockToken", ["B", "B", 6])];
      const ids: bigint[] = [await w.open()];
      for (const [token, rate] of [...tokens, ...tokens, tokens[0]].map((token, i) => [token, 5_000n + BigInt(i)] as const)) {
        assert(token);
        await w.chain.send({ from: payer, to: token, fn: "mint", args: [payer, 10n ** 20n] });
        await w.chain.send({ from: payer, to: token, fn: "approve", args: [w.streamPay.address, 10n ** 20n] });
        await w.chain.send(w.call(payer, "createStream", [token.address, rate * 1_000n, payee, 1_000n, 0, 0n]));
        ids.push(BigInt(ids.length + 1));
      }
      ids.push(await w.open());
      w.chain.pass(10);
      const done = await w.chain.send(updating(w, ids));
      // Rewards of 10 s at 5000, 5001, 5002, 5003, 5004 units: 50, 50, 50, 50, 50.
      const [a, b] = tokens;
      assert(a && b);
      assert.equal(await w.chain.read(a, "balanceOf", [keeper]), 150n);
      assert.equal(await w.chain.read(b, "balanceOf", [keeper]), 100n);
      assert.deepEqual(
        [a, b].map((token) => w.chain.events(done, token).filter(({ name }) => name === "Transfer").length),
        [1, 1],
      );
      const native = w.rate * 10n;
      assert.equal(await w.credit(payee), (native - reward(native)) * 2n);
      const [earnedA, earnedB] = [50_000n + 50_020n + 50_040n - 150n, 50_010n + 50_030n - 100n];
      assert.deepEqual([await w.credit(payee, a.address), await w.credit(payee, b.address)], [earnedA, earnedB]);
      assert.equal(await w.chain.read(a, "balanceOf", [w.streamPay.address]), 5_000n * 1_000n + 5_002n * 1_000n + 5_004n * 1_000n - 150n);
      assert.equal(await w.credit(zeroAddress), 0n);
    });
  });
});
