import { encodeSignedReceipt } from "@clawcompute/lib/protocol";
import { and, type Database, eq, meters, receipts, type Store, sql } from "@clawcompute/lib/store";
import type { Draft } from "./drafting.ts";
import { type MeterState, type Meters, meterIs, meterState, withoutMeter } from "./metering.ts";
import { addSpan, parseSpans, type Spans } from "./spans.ts";

/** A stream's meter as this process knows it; the tables have it, or will. */
interface Held {
  readonly state: MeterState;
  readonly counted: Spans;
  /** Of its next receipt. */
  readonly sequence: number;
}

export interface OwnMetersOptions {
  readonly db: Database;
  readonly chainId: number;
  readonly draft: Draft;
  readonly journal: NonNullable<Store["journal"]>;
  /** How many are remembered. */
  readonly capacity?: number;
}

/**
 * Meters of the one process that has its store: it decides in memory, keeps what it decided in the journal before anybody sees it, and
 * the tables follow. On each stream one thing happens at a time.
 */
export function createOwnMeters({ db, chainId, draft, journal, capacity = 20_000 }: OwnMetersOptions): Meters {
  const held = new Map<bigint, Held>();
  const turns = new Map<bigint, Promise<unknown>>();

  function inTurn<T>(streamId: bigint, work: () => Promise<T>): Promise<T> {
    const before = turns.get(streamId);
    const result = before ? before.then(work) : work();
    const over = result
      .catch(() => {})
      .then(() => {
        if (turns.get(streamId) === over) turns.delete(streamId);
      });
    turns.set(streamId, over);
    return result;
  }

  async function load(streamId: bigint): Promise<Held> {
    const known = held.get(streamId);
    if (known) return known;
    await journal.applied();
    const own = and(eq(receipts.chainId, chainId), eq(receipts.streamId, streamId));
    const sequence = sql<number>`coalesce((select max(${receipts.sequence}) + 1 from ${receipts} where ${own}), 0)`;
    const [row] = await db
      .select({ ...meterState, counted: meters.counted, sequence })
      .from(meters)
      .where(meterIs({ chainId, streamId }));
    if (!row) throw withoutMeter(streamId);
    const { counted, sequence: next, ...state } = row;
    return { state, counted: parseSpans(counted), sequence: Number(next) };
  }

  function keep(streamId: bigint, now: Held): void {
    held.delete(streamId);
    held.set(streamId, now);
    if (held.size > capacity) held.delete(held.keys().next().value as bigint);
  }

  /** Nothing is counted on a settled one. */
  function count(now: Held, fromMs: number, toMs: number): Held {
    if (now.state.settledOwed !== null) return now;
    const { spans, added } = addSpan(now.counted, fromMs, toMs);
    return { ...now, counted: spans, state: { ...now.state, servedMs: now.state.servedMs + added } };
  }

  const meterEntry = (streamId: bigint, { state, counted }: Held, at: number) => ({
    chain: chainId,
    id: String(streamId),
    served: state.servedMs,
    claimed: state.claimedMs,
    counted,
    hash: state.lastReceiptHash,
    at,
  });

  return {
    count: (streamId, fromMs, toMs) =>
      inTurn(streamId, async () => {
        const before = await load(streamId);
        if (before.state.settledOwed !== null) return undefined;
        const now = count(before, fromMs, toMs);
        journal.append({ meter: meterEntry(streamId, now, toMs) });
        keep(streamId, now);
        return now.state;
      }),

    close: (closing) => {
      const { stream, answer } = closing;
      const { id } = stream;
      return inTurn(id, async () => {
        const { storedUntilMs, chargedUntilMs = storedUntilMs, endedAtMs, requestId: request } = answer;
        const counted = count(await load(id), storedUntilMs, Math.max(storedUntilMs, chargedUntilMs));
        const { signed, hash } = await draft(closing, counted.state);
        const state = { ...counted.state, claimedMs: signed.receipt.cumulativeServedMs, lastReceiptHash: hash };
        const now = { ...counted, state, sequence: counted.sequence + 1 };
        journal.append({
          meter: meterEntry(id, now, Math.max(storedUntilMs, chargedUntilMs)),
          receipt: {
            chain: chainId,
            id: String(id),
            request,
            sequence: counted.sequence,
            hash,
            signed: encodeSignedReceipt(signed),
            at: endedAtMs,
          },
        });
        keep(id, now);
        return signed;
      });
    },

    alone: (streamId, work) =>
      inTurn(streamId, async () => {
        held.delete(streamId);
        await journal.applied();
        return work();
      }),

    written: () => journal.applied(),

    servedMs: (streamId) => held.get(streamId)?.state.servedMs,
  };
}
