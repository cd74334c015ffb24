import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import {
  type Domain,
  decodeSignedReceipt,
  type EndReason,
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
import { type Closing, countAll, createGroups, type Drafted, keepAll } from "./closing.ts";
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
  /** What the money is kept in; by default a stream. */
  readonly kind?: Receipt["kind"];
}

type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];
type MeterRow = typeof meters.$inferSelect;

export interface SettlementsOptions {
  readonly db: Database;
  readonly domain: Domain;
  readonly signer: Signer & { readonly sign?: (digest: { hash: Hex }) => Promise<Hex> };
  /** The use of a stream may have ended. */
  readonly onSettled?: (streamId: bigint) => void;
}

export function createSettlements({ db, domain, signer, onSettled = () => {} }: SettlementsOptions): Settlements {
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
      kind: stream.kind ?? "stream",
      payment: paymentOfStream(stream.id),
      ...shown,
      servedMs: claimed,
      amount: cumulativeAmount - costDown(stream.ratePerSecond, meter.claimedMs),
      cumulativeServedMs,
      cumulativeAmount,
      previousReceiptHash: meter.lastReceiptHash,
    };
    const hash = hashReceipt(domain, receipt);
    // The hash is what is signed; whoever can sign it need not make it again.
    const signature = await (signer.sign?.({ hash }) ?? signReceipt(signer, domain, receipt));
    return { signed: { receipt, signature, signer: signer.address }, hash };
  }

  async function draft({ stream, answer }: Closing, meter: MeterState): Promise<Drafted> {
    return { stream, answer, meter, ...(await compose(stream, answer, meter)) };
  }

  /**
   * Receipts of answers that ended at about the same time, in two statements. Counting is idempotent and nothing is locked
   * while signing; where somebody else was first on a stream, its receipts are made again.
   */
  async function closeAll(closings: readonly Closing[]): Promise<readonly PromiseSettledResult<SignedReceipt>[]> {
    const done = new Map<Closing, PromiseSettledResult<SignedReceipt>>();
    for (let open = closings; open.length > 0; open = open.filter((closing) => !done.has(closing))) {
      const meterOf = await countAll(db, domain.chainId, open);
      const drafts = new Map<Closing, Drafted>();
      for (const closing of open) {
        try {
          const drafted = await draft(closing, meterOf.get(closing.stream.id) ?? (await readMeter(db, closing.stream.id)));
          const { cumulativeServedMs: claimedMs } = drafted.signed.receipt;
          drafts.set(closing, drafted);
          meterOf.set(closing.stream.id, { ...drafted.meter, claimedMs, lastReceiptHash: drafted.hash });
        } catch (reason) {
          done.set(closing, { status: "rejected", reason });
        }
      }
      if (drafts.size === 0) continue;
      const kept = await keepAll(db, domain.chainId, [...drafts.values()]);
      for (const [closing, { signed }] of drafts) {
        if (kept.has(closing.stream.id)) done.set(closing, { status: "fulfilled", value: signed });
      }
    }
    return closings.map((closing) => done.get(closing) as PromiseSettledResult<SignedReceipt>);
  }

  const close = createGroups(closeAll);

  const ending = <T>({ id }: StreamTerms, work: (tx: Transaction) => Promise<T>): Promise<T> =>
    db.transaction(work).finally(() => onSettled(id));

  const closeAndSettle = (stream: StreamTerms, answer: AnswerRecord): Promise<SignedReceipt> =>
    ending(stream, async (tx) => {
      await lockMeter(tx, stream.id);
      const meter = (await count(tx, stream.id, answer)) ?? (await readMeter(tx, stream.id));
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
    closeAnswer: (stream, answer, settle) => (settle ? closeAndSettle(stream, answer) : close({ stream, answer })),

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
      const [row] = await db.select().from(receipts).where(eq(receipts.requestId, requestId));
      return row?.streamId === streamId && row.chainId === domain.chainId ? decodeSignedReceipt(row.signed) : undefined;
    },
  };
}

function withoutMeter(streamId: bigint): AppError {
  return new AppError("INTERNAL", "A stream without a meter was used.", { facts: { streamId: String(streamId) } });
}
