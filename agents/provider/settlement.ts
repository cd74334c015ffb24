import { costDown } from "@clawcompute/lib/money";
import {
  type Domain,
  decodeSignedReceipt,
  type Settlement,
  type SignedReceipt,
  type Signer,
  signSettlement,
} from "@clawcompute/lib/protocol";
import { and, type Database, desc, eq, meters as meterRows, receipts } from "@clawcompute/lib/store";
import { keepAll, readMeter } from "./closing.ts";
import type { AnswerRecord, Draft, StreamTerms } from "./drafting.ts";
import { countServed, type MeterKey, type Meters, meterIs, withoutMeter } from "./metering.ts";

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

type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];
type MeterRow = typeof meterRows.$inferSelect;

export interface SettlementsOptions {
  readonly db: Database;
  readonly domain: Domain;
  readonly signer: Signer;
  readonly meters: Meters;
  readonly draft: Draft;
  /** The use of a stream may have ended. */
  readonly onSettled?: (streamId: bigint) => void;
}

export function createSettlements({ db, domain, signer, meters, draft, onSettled = () => {} }: SettlementsOptions): Settlements {
  const keyOf = (streamId: bigint): MeterKey => ({ chainId: domain.chainId, streamId });

  async function lockMeter(tx: Transaction, streamId: bigint): Promise<MeterRow> {
    const [row] = await tx
      .select()
      .from(meterRows)
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
      .update(meterRows)
      .set({ settledOwed: settlement.owed, settlementSignature: settlement.signature })
      .where(meterIs(keyOf(settlement.streamId)));
    return settlement;
  }

  async function newestReceipt(db: Pick<Database, "select">, streamId: bigint) {
    const own = and(eq(receipts.chainId, domain.chainId), eq(receipts.streamId, streamId));
    const [row] = await db.select().from(receipts).where(own).orderBy(desc(receipts.sequence)).limit(1);
    return row;
  }

  const count = (db: Pick<Database, "update">, streamId: bigint, { storedUntilMs, chargedUntilMs }: AnswerRecord) =>
    chargedUntilMs === undefined ? undefined : countServed(db, keyOf(streamId), storedUntilMs, chargedUntilMs);

  const ending = <T>({ id }: StreamTerms, work: (tx: Transaction) => Promise<T>): Promise<T> =>
    meters.alone(id, () => db.transaction(work)).finally(() => onSettled(id));

  const closeAndSettle = (stream: StreamTerms, answer: AnswerRecord): Promise<SignedReceipt> =>
    ending(stream, async (tx) => {
      await lockMeter(tx, stream.id);
      const meter = (await count(tx, stream.id, answer)) ?? (await readMeter(tx, domain.chainId, stream.id));
      const drafted = await draft({ stream, answer }, meter);
      const { cumulativeServedMs, cumulativeAmount } = drafted.signed.receipt;
      // Time that no receipt has claimed (an answer that still runs elsewhere, a crash) is owed too: then `settle` has the last word.
      const complete = meter.settledOwed === null && cumulativeServedMs === meter.servedMs;
      const settlement = complete ? await sign(stream.id, cumulativeAmount) : undefined;
      const signed: SignedReceipt = { ...drafted.signed, ...(settlement ? { settlement } : {}) };
      await keepAll(tx, domain.chainId, [{ ...drafted, signed }]);
      if (settlement) await fix(tx, settlement);
      return signed;
    });

  return {
    closeAnswer: (stream, answer, settle) => (settle ? closeAndSettle(stream, answer) : meters.close({ stream, answer })),

    settle: (stream) =>
      ending(stream, async (tx) => {
        const meter = await lockMeter(tx, stream.id);
        const settlement =
          meter.settledOwed !== null && meter.settlementSignature !== null
            ? { streamId: stream.id, owed: meter.settledOwed, signature: meter.settlementSignature }
            : await fix(tx, await sign(stream.id, costDown(stream.ratePerSecond, meter.servedMs)));
        const newest = await newestReceipt(tx, stream.id);
        return { settlement, servedMs: meter.servedMs, lastReceipt: newest && decodeSignedReceipt(newest.signed) };
      }),

    receipt: async (streamId, requestId) => {
      await meters.written();
      const [row] = await db.select().from(receipts).where(eq(receipts.requestId, requestId));
      return row?.streamId === streamId && row.chainId === domain.chainId ? decodeSignedReceipt(row.signed) : undefined;
    },
  };
}
