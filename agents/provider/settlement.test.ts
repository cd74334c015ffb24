import { verifySettlementSignature, ZERO_HASH } from "@clawcompute/lib/protocol";
import { eq, openStore, meters as rows, type Store } from "@clawcompute/lib/store";
import { devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createSharedMeters } from "./closing.ts";
import { type AnswerRecord, createDraft } from "./drafting.ts";
import { startMeter } from "./metering.ts";
import { createOwnMeters } from "./ownMeters.ts";
import { createSettlements } from "./settlement.ts";

vi.setConfig({ hookTimeout: 60_000 });

const RATE = 1_000_000n;
const NOW = 1_800_000_000_000;
const domain = { chainId: 31337, verifyingContract: "0x00000000000000000000000000000000000000aa" } as const;
const signer = devAccounts[1] as LocalAccount;
let store: Store;
let nextStream = 1n;

beforeAll(async () => {
  store = await openStore({});
});
afterAll(() => store?.close());

describe.each([
  ["replicas share", false],
  ["one process has", true],
])("a store that %s", (_, own) => {
  async function openMeter() {
    const streamId = nextStream++;
    const key = { chainId: domain.chainId, streamId };
    await store.db
      .insert(rows)
      .values({ ...key, providerId: 1, payer: signer.address, ratePerSecond: RATE, lastReceiptHash: ZERO_HASH, updatedAtMs: NOW });
    const draft = createDraft({ domain, signer });
    const counted = { db: store.db, chainId: domain.chainId, draft };
    const { journal } = store;
    const meters = own && journal ? createOwnMeters({ ...counted, journal }) : createSharedMeters(counted);
    const settlements = createSettlements({ db: store.db, domain, signer, meters, draft });
    let count = 0;
    /** An answer from and to these ms, all of it charged, of which nothing is stored yet unless told. */
    const record = (from: number, to: number, more: Partial<AnswerRecord> = {}): AnswerRecord => ({
      requestId: `${streamId}-${count++}`,
      providerId: 1,
      model: "m",
      startedAtMs: NOW + from,
      firstTokenAtMs: NOW + from,
      endedAtMs: NOW + to,
      chargedUntilMs: NOW + to,
      storedUntilMs: NOW + from,
      unitsIn: 0,
      unitsOut: 1,
      bodyHash: ZERO_HASH,
      reason: "stop",
      ...more,
    });
    const terms = { id: streamId, ratePerSecond: RATE };
    return {
      meters,
      terms,
      settlements,
      served: (from: number, to: number) => meters.count(streamId, NOW + from, NOW + to).then((meter) => meter?.servedMs),
      end: async (from: number, to: number, more: Partial<AnswerRecord> = {}, settle = false) =>
        settlements.closeAnswer(terms, record(from, to, more), settle),
      row: async () => {
        await meters.written();
        return (await store.db.select().from(rows).where(eq(rows.streamId, streamId)))[0];
      },
    };
  }

  describe("countServed", () => {
    test("behavior: counts each millisecond once, in whatever order and by whomever", async () => {
      const { served } = await openMeter();
      expect(await served(0, 1_000)).toBe(1_000);
      expect(await served(500, 1_500)).toBe(1_500);
      expect(await served(3_000, 4_000)).toBe(2_500);
      expect(await served(200, 3_500)).toBe(4_000);
      expect(await served(0, 4_000)).toBe(4_000);
      expect(await served(4_000, 4_000)).toBe(4_000);
    });

    test("behavior: gaps are not counted, and what is long past cannot be counted again", async () => {
      const { served } = await openMeter();
      expect(await served(0, 1_000)).toBe(1_000);
      expect(await served(3_600_000, 3_601_000)).toBe(2_000);
      expect(await served(3_600_000, 3_601_000)).toBe(2_000);
    });

    test("behavior: any set of spans sums to the length of their union", async () => {
      const { served } = await openMeter();
      let seed = 12_345;
      const random = (below: number) => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        return seed % below;
      };
      const counted = new Set<number>();
      for (let round = 0; round < 60; round += 1) {
        const from = random(500);
        const to = from + random(60);
        for (let ms = from; ms < to; ms += 1) counted.add(ms);
        expect(await served(from, to)).toBe(counted.size);
      }
    });
  });

  describe("many short answers", () => {
    const ranges = (counted: string | undefined) => (counted ?? "").split("),[").length;

    test("behavior: the row stays small; newest gaps can still be served, old ones are nobody's to charge", async () => {
      const { served, end, row } = await openMeter();
      for (let nth = 0; nth < 150; nth += 1) await (nth % 2 ? end(nth * 100, nth * 100 + 10) : served(nth * 100, nth * 100 + 10));
      expect(await row()).toMatchObject({ servedMs: 1_500 });
      expect(ranges((await row())?.counted)).toBeLessThanOrEqual(65);
      expect(await served(14_810, 14_900)).toBe(1_590);
      expect(await served(10, 100)).toBe(1_590);
      await end(0, 15_000);
      // At most what was left open: 64 gaps of 90 ms, of which one is served already.
      expect((await row())?.servedMs).toBe(1_590 + 63 * 90 + 90);
    });
  });

  describe("startMeter", () => {
    test("behavior: stores what is marked and says up to where", async () => {
      const { meters, terms, row } = await openMeter();
      const meter = startMeter({ meters, streamId: terms.id, startedAtMs: NOW, onSettled: () => {}, onError: () => {} });
      meter.mark(NOW + 700);
      meter.mark(NOW + 900);
      expect(await meter.stop()).toBe(NOW + 700);
      meter.mark(NOW + 5_000);
      expect((await row())?.servedMs).toBe(700);
    });

    test("behavior: on a stream that was settled it stops the answer", async () => {
      const { meters, terms, settlements } = await openMeter();
      await settlements.settle(terms);
      const settled = await new Promise<string>((resolve) => {
        const meter = startMeter({ meters, streamId: terms.id, startedAtMs: NOW, onSettled: () => resolve("stopped"), onError: () => {} });
        meter.mark(NOW + 1_000);
      });
      expect(settled).toBe("stopped");
    });
  });

  describe("closeAnswer", () => {
    test("behavior: overlapping answers claim each millisecond once, and no more than their own time", async () => {
      const { end, row } = await openMeter();
      const answers: [number, number][] = [
        [2_000, 5_000],
        [4_500, 6_000],
        [0, 10_000],
        [20_000, 21_000],
      ];
      const claims: number[] = [];
      let previous = ZERO_HASH;
      for (const [from, to] of answers) {
        const { receipt } = await end(from, to);
        expect(receipt.previousReceiptHash).toBe(previous);
        expect(receipt.cumulativeAmount).toBe((RATE * BigInt(receipt.cumulativeServedMs)) / 1000n);
        expect(receipt.servedMs).toBeLessThanOrEqual(to - from);
        claims.push(receipt.servedMs);
        previous = (await row())?.lastReceiptHash ?? ZERO_HASH;
      }
      expect(claims).toEqual([3_000, 1_000, 6_000, 1_000]);
    });

    test("behavior: an answer that is not charged adds nothing", async () => {
      const { end } = await openMeter();
      const { receipt } = await end(0, 5_000, { chargedUntilMs: undefined, reason: "upstream_error" });
      expect(receipt).toMatchObject({ servedMs: 0, amount: 0n, cumulativeServedMs: 0 });
    });

    test("behavior: what a crash left unclaimed is not put on the next answer's receipt", async () => {
      const { served, end, settlements, terms } = await openMeter();
      await served(0, 3_000);
      const { receipt } = await end(10_000, 11_000);
      expect(receipt.servedMs).toBe(1_000);
      expect(await settlements.settle(terms)).toMatchObject({ servedMs: 4_000, settlement: { owed: 4n * RATE } });
    });

    test("behavior: with the settlement it is the last one; later answers are free and settling repeats it", async () => {
      const { end, settlements, terms } = await openMeter();
      const { settlement } = await end(0, 4_200, {}, true);
      expect(settlement).toMatchObject({ streamId: terms.id, owed: 4_200_000n });
      await verifySettlementSignature(domain, { streamId: terms.id, owed: 4_200_000n }, settlement?.signature ?? "0x", signer.address);
      const late = await end(4_200, 9_000, {}, true);
      expect(late.receipt).toMatchObject({ servedMs: 0, cumulativeServedMs: 4_200 });
      expect(late.settlement).toBeUndefined();
      expect((await settlements.settle(terms)).settlement).toEqual(settlement);
    });

    test("behavior: many at once lose nothing and break no chain", async () => {
      const { end, settlements, terms } = await openMeter();
      const signed = await Promise.all(Array.from({ length: 12 }, (_, index) => end(index * 100, index * 100 + 1_000)));
      expect(new Set(signed.map(({ receipt }) => receipt.previousReceiptHash)).size).toBe(12);
      expect(await settlements.settle(terms)).toMatchObject({ servedMs: 2_100 });
      expect(signed.reduce((sum, { receipt }) => sum + receipt.servedMs, 0)).toBe(2_100);
    });
  });

  describe("receipt", () => {
    test("behavior: is found by its stream only", async () => {
      const { end, settlements, terms } = await openMeter();
      const signed = await end(0, 10);
      expect(await settlements.receipt(terms.id, signed.receipt.requestId)).toEqual(signed);
      expect(await settlements.receipt(terms.id + 1n, signed.receipt.requestId)).toBeUndefined();
    });
  });

  describe("the last answer", () => {
    test("error: never settles for less than was served, also where another answer's time has no receipt yet (P5)", async () => {
      const { served, end, row, settlements, terms } = await openMeter();
      await served(0, 6_000); // another replica's answer, still running
      const { receipt, settlement } = await end(6_000, 6_001, {}, true);
      expect([receipt.servedMs, settlement, (await row())?.settledOwed]).toEqual([1, undefined, null]);
      const settled = await settlements.settle(terms);
      expect([settled.servedMs, settled.settlement.owed]).toEqual([6_001, 6_001n * (RATE / 1000n)]);
    });
  });
});
