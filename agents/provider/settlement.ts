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
import { and, type Database, desc, eq, meters, receipts, sql } from "@clawcompute/lib/store";
import type { Hex } from "viem";
import { countServed, type MeterKey, type MeterState, meterIs, meterState } from "./metering.ts";

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
  /**
   * Ends an answer: counts its time and signs its receipt as the next one of its stream. With `settle` the use of the stream ends
   * with it, unless there is served time that no receipt covers: then no settlement comes along, and `settle` has to be asked for.
   */
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
    if (!row) throw withoutMeter(streamId);
    return row;
  }

  const sign = async (streamId: bigint, owed: bigint): Promise<Settlement> => ({
    streamId,
    owed,
    signature: await signSettlement(signer, domain, { streamId, owed }),
  });

  /** From here on nothing is served on the stream; the signature is good for ever, so it must be the last word. */
  async function fix(tx: Transaction, settlement: Settlement): Promise<Settlement> {
    await tx
      .update(meters)
      .set({ settledOwed: settlement.owed, settlementSignature: settlement.signature })
      .where(meterIs(keyOf(settlement.streamId)));
    return settlement;
  }

  async function newestReceipt(db: Pick<Database, "select">, streamId: bigint) {
    const own = and(eq(receipts.chainId, domain.chainId), eq(receipts.streamId, streamId));
    const [row] = await db.select().from(receipts).where(own).orderBy(desc(receipts.sequence)).limit(1);
    return row;
  }

  async function readMeter(db: Pick<Database, "select">, streamId: bigint): Promise<MeterState> {
    const [row] = await db
      .select(meterState)
      .from(meters)
      .where(meterIs(keyOf(streamId)));
    if (!row) throw withoutMeter(streamId);
    return row;
  }

  const count = (db: Pick<Database, "update">, streamId: bigint, { storedUntilMs, chargedUntilMs }: AnswerRecord) =>
    chargedUntilMs === undefined ? undefined : countServed(db, keyOf(streamId), storedUntilMs, chargedUntilMs);

  /** The answer's receipt as the next one after `meter`. */
  async function compose(stream: StreamTerms, answer: AnswerRecord, meter: MeterState): Promise<{ signed: SignedReceipt; hash: Hex }> {
    // Each served millisecond is claimed by one receipt: by the first answer to end of those that ran through it.
    const own = answer.chargedUntilMs === undefined ? 0 : answer.chargedUntilMs - answer.startedAtMs;
    const claimed = meter.settledOwed === null ? Math.max(0, Math.min(own, meter.servedMs - meter.claimedMs)) : 0;
    const cumulativeServedMs = meter.claimedMs + claimed;
    const cumulativeAmount = costDown(stream.ratePerSecond, cumulativeServedMs);
    const { chargedUntilMs: _, storedUntilMs: __, ...shown } = answer;
    const receipt: Receipt = {
      kind: "stream",
      payment: paymentOfStream(stream.id),
      ...shown,
      servedMs: claimed,
      amount: cumulativeAmount - costDown(stream.ratePerSecond, meter.claimedMs),
      cumulativeServedMs,
      cumulativeAmount,
      previousReceiptHash: meter.lastReceiptHash,
    };
    const signature = await signReceipt(signer, domain, receipt);
    return { signed: { receipt, signature, signer: signer.address }, hash: hashReceipt(domain, receipt) };
  }

  /**
   * Claims the receipt's time and keeps the receipt, in one statement, if no other receipt or settlement came between since
   * `meter` was read; false when one did. The row's lock orders those who try at once.
   */
  async function append(
    db: Pick<Database, "execute">,
    meter: MeterState,
    answer: AnswerRecord,
    streamId: bigint,
    signed: SignedReceipt,
    hash: Hex,
  ): Promise<boolean> {
    const ofStream = sql`chain_id = ${domain.chainId} and stream_id = ${String(streamId)}::numeric`;
    const stillOpen = meter.settledOwed === null ? sql`settled_owed is null` : sql`settled_owed is not null`;
    const { rows } = (await db.execute(sql`
      with claimed as (
        update meters set claimed_ms = ${signed.receipt.cumulativeServedMs}, last_receipt_hash = ${hash}
        where ${ofStream} and last_receipt_hash = ${meter.lastReceiptHash} and claimed_ms = ${meter.claimedMs} and ${stillOpen}
        returning 1
      )
      insert into receipts (request_id, chain_id, stream_id, sequence, hash, signed, created_at_ms)
      select ${answer.requestId}, ${domain.chainId}::int, ${String(streamId)}::numeric,
        coalesce((select max(sequence) + 1 from receipts where ${ofStream}), 0), ${hash},
        ${JSON.stringify(encodeSignedReceipt(signed))}::jsonb, ${answer.endedAtMs}::bigint
      from claimed returning sequence`)) as unknown as { rows: unknown[] };
    return rows.length > 0;
  }

  /** Counting is idempotent and nothing is locked while signing; whoever comes second signs again. */
  async function close(stream: StreamTerms, answer: AnswerRecord): Promise<SignedReceipt> {
    let meter = await count(db, stream.id, answer);
    for (;;) {
      meter ??= await readMeter(db, stream.id);
      const { signed, hash } = await compose(stream, answer, meter);
      if (await append(db, meter, answer, stream.id, signed, hash)) return signed;
      meter = undefined;
    }
  }

  const closeAndSettle = (stream: StreamTerms, answer: AnswerRecord): Promise<SignedReceipt> =>
    db.transaction(async (tx) => {
      await lockMeter(tx, stream.id);
      const meter = (await count(tx, stream.id, answer)) ?? (await readMeter(tx, stream.id));
      const composed = await compose(stream, answer, meter);
      const { cumulativeServedMs, cumulativeAmount } = composed.signed.receipt;
      // Time that no receipt has claimed (an answer that still runs elsewhere, a crash) is owed too: then `settle` has the last word.
      const complete = meter.settledOwed === null && cumulativeServedMs === meter.servedMs;
      const settlement = complete ? await sign(stream.id, cumulativeAmount) : undefined;
      const signed: SignedReceipt = { ...composed.signed, ...(settlement ? { settlement } : {}) };
      await append(tx, meter, answer, stream.id, signed, composed.hash);
      if (settlement) await fix(tx, settlement);
      return signed;
    });

  return {
    closeAnswer: (stream, answer, settle) => (settle ? closeAndSettle(stream, answer) : close(stream, answer)),

    settle: (stream) =>
      db.transaction(async (tx) => {
        const meter = await lockMeter(tx, stream.id);
        const settlement =
          meter.settledOwed !== null && meter.settlementSignature !== null
            ? { streamId: stream.id, owed: meter.settledOwed, signature: meter.settlementSignature }
            : await fix(tx, await sign(stream.id, costDown(stream.ratePerSecond, meter.servedMs)));
        const newest = await newestReceipt(tx, stream.id);
        return { settlement, servedMs: meter.servedMs, lastReceipt: newest && decodeSignedReceipt(newest.signed) };
      }),

    receipt: async (streamId, requestId) => {
      const [row] = await db.select().from(receipts).where(eq(receipts.requestId, requestId));
      return row?.streamId === streamId && row.chainId === domain.chainId ? decodeSignedReceipt(row.signed) : undefined;
    },
  };
}

function withoutMeter(streamId: bigint): AppError {
  return new AppError("INTERNAL", "A stream without a meter was used.", { facts: { streamId: String(streamId) } });
}
