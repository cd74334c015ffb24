import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import {
  type Domain,
  decodeSignedReceipt,
  type EndReason,
  encodeSignedReceipt,
  hashReceipt,
  paymentOfStream,
  type Receipt,
  type Settlement,
  type SignedReceipt,
  type Signer,
  signReceipt,
  signSettlement,
} from "@clawcompute/lib/protocol";
import { and, type Database, desc, eq, meters, receipts } from "@clawcompute/lib/store";
import type { Hex } from "viem";
import { countServed, type MeterKey, meterIs } from "./metering.ts";

/** What an answer was, when it is over. Times are unix ms. */
export interface AnswerRecord {
  readonly requestId: string;
  readonly providerId: number;
  readonly model: string;
  readonly startedAtMs: number;
  readonly firstTokenAtMs: number;
  readonly endedAtMs: number;
  /** Up to here its time is charged; undefined: not at all. */
  readonly chargedUntilMs: number | undefined;
  /** Up to here its time is in the store already. */
  readonly storedUntilMs: number;
  readonly unitsIn: number;
  readonly unitsOut: number;
  readonly bodyHash: Hex;
  readonly reason: EndReason;
}

export interface SettledStream {
  readonly settlement: Settlement;
  readonly servedMs: number;
  readonly lastReceipt: SignedReceipt | undefined;
}

/** Signs what was served. Everything here is in the store before it leaves. */
export interface Settlements {
  /** Ends an answer: counts its time, signs its receipt as the next one of its stream, and with `settle` ends the use of the stream. */
  closeAnswer(stream: StreamTerms, answer: AnswerRecord, settle: boolean): Promise<SignedReceipt>;
  /** Ends the use of a stream; the same answer again when it has ended already. Answers on it must have ended. */
  settle(stream: StreamTerms): Promise<SettledStream>;
  receipt(streamId: bigint, requestId: string): Promise<SignedReceipt | undefined>;
}

export interface StreamTerms {
  readonly id: bigint;
  readonly ratePerSecond: bigint;
}

type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];
type MeterRow = typeof meters.$inferSelect;

export function createSettlements({ db, domain, signer }: { db: Database; domain: Domain; signer: Signer }): Settlements {
  const keyOf = (streamId: bigint): MeterKey => ({ chainId: domain.chainId, streamId });

  async function lockMeter(tx: Transaction, streamId: bigint): Promise<MeterRow> {
    const [row] = await tx
      .select()
      .from(meters)
      .where(meterIs(keyOf(streamId)))
      .for("update");
    if (!row) throw new AppError("INTERNAL", "A stream without a meter was used.", { facts: { streamId: String(streamId) } });
    return row;
  }

  /** From here on nothing is served on the stream; the signature is good for ever, so it must be the last word. */
  async function fix(tx: Transaction, streamId: bigint, owed: bigint): Promise<Settlement> {
    const signature = await signSettlement(signer, domain, { streamId, owed });
    await tx
      .update(meters)
      .set({ settledOwed: owed, settlementSignature: signature })
      .where(meterIs(keyOf(streamId)));
    return { streamId, owed, signature };
  }

  async function newestReceipt(db: Pick<Database, "select">, streamId: bigint) {
    const own = and(eq(receipts.chainId, domain.chainId), eq(receipts.streamId, streamId));
    const [row] = await db.select().from(receipts).where(own).orderBy(desc(receipts.sequence)).limit(1);
    return row;
  }

  return {
    closeAnswer: (stream, answer, settle) =>
      db.transaction(async (tx) => {
        const before = await lockMeter(tx, stream.id);
        const open = before.settledOwed === null;
        let servedMs = before.servedMs;
        if (open && answer.chargedUntilMs !== undefined) {
          servedMs = (await countServed(tx, keyOf(stream.id), answer.storedUntilMs, answer.chargedUntilMs)) ?? servedMs;
        }
        // Each served millisecond is claimed by one receipt: by the first answer to end of those that ran through it.
        const own = answer.chargedUntilMs === undefined ? 0 : answer.chargedUntilMs - answer.startedAtMs;
        const claimed = open ? Math.max(0, Math.min(own, servedMs - before.claimedMs)) : 0;
        const cumulativeServedMs = before.claimedMs + claimed;
        const cumulativeAmount = costDown(stream.ratePerSecond, cumulativeServedMs);
        const { chargedUntilMs: _, storedUntilMs: __, ...shown } = answer;
        const receipt: Receipt = {
          kind: "stream",
          payment: paymentOfStream(stream.id),
          ...shown,
          servedMs: claimed,
          amount: cumulativeAmount - costDown(stream.ratePerSecond, before.claimedMs),
          cumulativeServedMs,
          cumulativeAmount,
          previousReceiptHash: before.lastReceiptHash,
        };
        const signature = await signReceipt(signer, domain, receipt);
        const hash = hashReceipt(domain, receipt);
        await tx
          .update(meters)
          .set({ claimedMs: cumulativeServedMs, lastReceiptHash: hash })
          .where(meterIs(keyOf(stream.id)));
        const settlement = settle && open ? await fix(tx, stream.id, cumulativeAmount) : undefined;
        const signed: SignedReceipt = { receipt, signature, signer: signer.address, ...(settlement ? { settlement } : {}) };
        await tx.insert(receipts).values({
          requestId: answer.requestId,
          chainId: domain.chainId,
          streamId: stream.id,
          sequence: ((await newestReceipt(tx, stream.id))?.sequence ?? -1) + 1,
          hash,
          signed: encodeSignedReceipt(signed),
          createdAtMs: answer.endedAtMs,
        });
        return signed;
      }),

    settle: (stream) =>
      db.transaction(async (tx) => {
        const meter = await lockMeter(tx, stream.id);
        const settlement =
          meter.settledOwed !== null && meter.settlementSignature !== null
            ? { streamId: stream.id, owed: meter.settledOwed, signature: meter.settlementSignature }
            : await fix(tx, stream.id, costDown(stream.ratePerSecond, meter.servedMs));
        const newest = await newestReceipt(tx, stream.id);
        return { settlement, servedMs: meter.servedMs, lastReceipt: newest && decodeSignedReceipt(newest.signed) };
      }),

    receipt: async (streamId, requestId) => {
      const [row] = await db.select().from(receipts).where(eq(receipts.requestId, requestId));
      return row?.streamId === streamId && row.chainId === domain.chainId ? decodeSignedReceipt(row.signed) : undefined;
    },
  };
}
