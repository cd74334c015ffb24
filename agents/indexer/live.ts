import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import { and, asc, type Database, eq, gt, indexerEvents, lte } from "@clawcompute/lib/store";
import type { Head, HeadTracker } from "./head.ts";
import { eventItem } from "./routes/events.ts";

type Message = IndexerAnswer<"live">;

export interface LiveMessage {
  /** For Last-Event-ID. */
  readonly id: string;
  readonly message: Message;
}

/** More than this at once is not told one by one. */
const EVENTS_AT_ONCE = 500;

/**
 * The live feed of one listener, from `lastId` on or from now. A listener that was away too long, or saw blocks that are no longer the
 * chain's, gets one `reset` and goes on from there. Listeners at the same place share one query.
 */
export function createFeed(db: Database, chainId: number, heads: HeadTracker) {
  const reads = new Map<string, Promise<Message>>();

  function messageBetween(from: Head | Place, to: Head): Promise<Message> {
    const key = `${from.blockNumber} ${to.version}`;
    let read = reads.get(key);
    if (!read) {
      for (const old of reads.keys()) if (!old.endsWith(` ${to.version}`)) reads.delete(old);
      read = readBetween(from.blockNumber, to);
      reads.set(key, read);
      read.catch(() => reads.delete(key));
    }
    return read;
  }

  async function readBetween(from: number, to: Head): Promise<Message> {
    const rows = await db
      .select()
      .from(indexerEvents)
      .where(and(eq(indexerEvents.chainId, chainId), gt(indexerEvents.blockNumber, from), lte(indexerEvents.blockNumber, to.blockNumber)))
      .orderBy(asc(indexerEvents.blockNumber), asc(indexerEvents.logIndex))
      .limit(EVENTS_AT_ONCE + 1);
    if (rows.length > EVENTS_AT_ONCE) return { type: "reset", block: to.blockNumber, reason: "too-far-behind" };
    return { type: "head", block: to.blockNumber, at: to.at, events: rows.map(eventItem) };
  }

  return async function* listen(lastId: string | undefined, signal: AbortSignal): AsyncGenerator<LiveMessage> {
    let head = heads.current();
    let place: Place = placeOf(lastId) ?? head;
    for (;;) {
      const id = `${head.rollbacks}-${head.blockNumber}`;
      if (place.rollbacks !== head.rollbacks) yield { id, message: { type: "reset", block: head.blockNumber, reason: "reorganised" } };
      else yield { id, message: await messageBetween(place, head) };
      place = head;
      head = await heads.after(head.version, signal);
    }
  };
}

type Place = Pick<Head, "blockNumber" | "rollbacks">;

function placeOf(lastId: string | undefined): Place | undefined {
  const match = /^(\d{1,15})-(-?\d{1,15})$/.exec(lastId ?? "");
  return match ? { rollbacks: Number(match[1]), blockNumber: Number(match[2]) } : undefined;
}
