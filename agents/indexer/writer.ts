import type { BlockMark, ChainEvent, WatchedTo } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import {
  among,
  and,
  asc,
  type Database,
  eq,
  gt,
  indexerBlocks,
  indexerChannels,
  indexerCredits,
  indexerDays,
  indexerEvents,
  indexerHeads,
  indexerIntervals,
  indexerKeeperActions,
  indexerKeeperDays,
  indexerKeepers,
  indexerModels,
  indexerPrices,
  indexerProbes,
  indexerProviderDays,
  indexerProviders,
  indexerSettlements,
  indexerStreams,
  indexerTotals,
  insertRows,
  lt,
  type Queryable,
  storeError,
} from "@clawcompute/lib/store";
import { type Entry, entryOf } from "./entry.ts";
import { Book } from "./project/book.ts";
import { channelPayments } from "./project/channels.ts";
import {
  addActions,
  type BatchOf,
  dropEmptySums,
  loadSubjects,
  noSubjects,
  project,
  saveBook,
  saveOwnRows,
  saveSubjects,
} from "./project/project.ts";

/** Deeper than any watcher looks back. */
export const BLOCKS_KEPT = 256;
const eventsAtOnce = 5_000;
/** Raised when events become other rows than before: a store of an earlier one is filled anew. */
const PROJECTION = 2;

export interface WriterOptions {
  readonly db: Database;
  readonly chainId: number;
  /** Genesis block and contract addresses. */
  readonly identity: string;
  readonly fromBlock: bigint;
}

/** What the events of a range need from the chain besides themselves. */
export interface Surroundings {
  /** Unix seconds of an event's block. */
  timeOf(event: ChainEvent): number;
  readonly batchOf: BatchOf;
}

/**
 * The one who writes. Every change raises the head's `version` from the value this writer knows, in the same transaction; of two
 * writers one gets STORE_CONFLICT and has changed nothing. So each event is in the store exactly once, whoever runs.
 */
export interface Writer {
  readonly head: { readonly blockNumber: number; readonly rollbacks: number };
  /** True when what the store held was of another chain and was thrown away. */
  readonly startedOver: boolean;
  /** Recent blocks, oldest first, for the watcher to start from. */
  known(): Promise<BlockMark[]>;
  apply(events: readonly ChainEvent[], upTo: WatchedTo, surroundings: Surroundings): Promise<void>;
  rollBack(toBlock: bigint): Promise<void>;
}

/** Takes over from whoever wrote before. */
export async function openWriter({ db, chainId, identity: chain, fromBlock }: WriterOptions): Promise<Writer> {
  const identity = `${chain} ${PROJECTION}`;
  const first = Number(fromBlock);
  let startedOver = false;

  async function takeOver() {
    return db.transaction(async (tx) => {
      const [found] = await tx.select().from(indexerHeads).where(eq(indexerHeads.chainId, chainId)).for("update");
      if (found?.identity === identity) return found;
      const empty = { identity, blockNumber: first - 1, blockHash: null, at: 0 };
      if (!found) {
        const row = { chainId, version: 0, rollbacks: 0, ...empty };
        await insertRows(tx, indexerHeads, [row]);
        return row;
      }
      startedOver = true;
      await clear(tx, chainId);
      await tx.delete(indexerProbes).where(eq(indexerProbes.chainId, chainId));
      const next = { ...empty, version: found.version + 1, rollbacks: found.rollbacks + 1 };
      await tx.update(indexerHeads).set(next).where(eq(indexerHeads.chainId, chainId));
      return { chainId, ...next };
    });
  }

  let { version, blockNumber, rollbacks } = await takeOver().catch((thrown) => {
    throw storeError(thrown);
  });

  type Change = Pick<typeof indexerHeads.$inferSelect, "blockNumber" | "blockHash" | "at" | "rollbacks">;

  async function change(next: Change, work: (tx: Queryable) => Promise<void>): Promise<void> {
    try {
      await db.transaction(async (tx) => {
        const raised = await tx
          .update(indexerHeads)
          .set({ ...next, version: version + 1 })
          .where(and(eq(indexerHeads.chainId, chainId), eq(indexerHeads.version, version)))
          .returning({ version: indexerHeads.version });
        if (raised.length === 0) throw new AppError("STORE_CONFLICT", "Another indexer has written since.", { facts: { chainId } });
        await work(tx);
      });
    } catch (thrown) {
      throw storeError(thrown);
    }
    version += 1;
    ({ blockNumber, rollbacks } = next);
  }

  return {
    get head() {
      return { blockNumber, rollbacks };
    },
    startedOver,
    known: async () => {
      const rows = await db.select().from(indexerBlocks).where(eq(indexerBlocks.chainId, chainId)).orderBy(asc(indexerBlocks.blockNumber));
      return rows.map((row) => ({ number: BigInt(row.blockNumber), hash: row.blockHash }));
    },
    apply: async (events, upTo, surroundings) => {
      const number = Number(upTo.number);
      const head = { blockNumber: number, blockHash: upTo.hash, at: Math.floor(upTo.timestampMs / 1000), rollbacks };
      await change(head, async (tx) => {
        for (const part of partsOf(events)) {
          const entries = part.map((event) => entryOf(chainId, event, surroundings.timeOf(event)));
          await applyEntries(tx, chainId, entries, surroundings.batchOf);
        }
        await rememberBlocks(tx, chainId, events, upTo);
      });
    },
    rollBack: async (toBlock) => {
      const to = Number(toBlock);
      const [mark] = await db
        .select()
        .from(indexerBlocks)
        .where(and(eq(indexerBlocks.chainId, chainId), eq(indexerBlocks.blockNumber, to)));
      const [newest] = await db
        .select({ at: indexerEvents.at })
        .from(indexerEvents)
        .where(and(eq(indexerEvents.chainId, chainId), eq(indexerEvents.blockNumber, to)))
        .limit(1);
      const head = { blockNumber: to, blockHash: mark?.blockHash ?? null, at: newest?.at ?? 0, rollbacks: rollbacks + 1 };
      await change(head, (tx) => (to < first ? clear(tx, chainId) : undo(tx, chainId, to)));
    },
  };
}

/** Parts of a bearable size that never divide a block, so that a transaction's events stay together. */
function* partsOf(events: readonly ChainEvent[]): Generator<readonly ChainEvent[]> {
  let from = 0;
  for (let at = 1; at <= events.length; at += 1) {
    const ends = at === events.length || (at - from >= eventsAtOnce && events[at]?.blockNumber !== events[at - 1]?.blockNumber);
    if (!ends) continue;
    yield events.slice(from, at);
    from = at;
  }
}

async function applyEntries(tx: Queryable, chainId: number, entries: readonly Entry[], batchOf: BatchOf): Promise<void> {
  await insertRows(tx, indexerEvents, entries);
  const subjects = await loadSubjects(tx, chainId, entries);
  const book = new Book(chainId, 1);
  const context = { batchOf, paidFor: channelPayments(entries) };
  for (const entry of entries) project(entry, subjects, book, context);
  await saveSubjects(tx, chainId, subjects);
  await saveOwnRows(tx, chainId, book);
  await saveBook(tx, chainId, book);
}

/**
 * Takes away everything after block `to`. Each subject that was touched is made again from its first event on: what it was at `to` is
 * kept, and what later events added to the sums is subtracted by the same walk.
 */
async function undo(tx: Queryable, chainId: number, to: number): Promise<void> {
  const later = and(eq(indexerEvents.chainId, chainId), gt(indexerEvents.blockNumber, to));
  const undone = await tx.select().from(indexerEvents).where(later).orderBy(asc(indexerEvents.blockNumber), asc(indexerEvents.logIndex));
  const touched = [...new Set(undone.map(({ subject }) => subject).filter((subject) => subject !== null))];
  const history = await tx
    .select()
    .from(indexerEvents)
    .where(and(eq(indexerEvents.chainId, chainId), among(indexerEvents.subject, touched)))
    .orderBy(asc(indexerEvents.blockNumber), asc(indexerEvents.logIndex));

  const [kept, past, book] = [noSubjects(), new Book(chainId, 1), new Book(chainId, -1)];
  const context = { batchOf: () => undefined, paidFor: channelPayments(undone) };
  for (const entry of history) if (entry.blockNumber <= to) project(entry, kept, past, context);
  const replayed = { streams: new Map(kept.streams), channels: new Map(kept.channels), providers: new Map(kept.providers) };
  for (const entry of undone) project(entry, replayed, book, context);
  for (const [from, into] of [
    [replayed.streams, kept.streams],
    [replayed.channels, kept.channels],
    [replayed.providers, kept.providers],
  ] as const) {
    for (const subject of from.keys()) if (!into.has(subject)) into.set(subject, undefined);
  }

  const actions = await tx
    .select()
    .from(indexerKeeperActions)
    .where(and(eq(indexerKeeperActions.chainId, chainId), gt(indexerKeeperActions.blockNumber, to)));
  await saveBook(tx, chainId, book);
  await addActions(tx, chainId, actions, -1);
  await saveSubjects(tx, chainId, kept);
  for (const table of [indexerEvents, indexerSettlements, indexerPrices, indexerKeeperActions, indexerBlocks]) {
    await tx.delete(table).where(and(eq(table.chainId, chainId), gt(table.blockNumber, to)));
  }
  await dropEmptySums(tx, chainId);
}

async function rememberBlocks(tx: Queryable, chainId: number, events: readonly ChainEvent[], upTo: WatchedTo): Promise<void> {
  const oldest = Number(upTo.number) - BLOCKS_KEPT;
  const blocks = new Map([[Number(upTo.number), upTo.hash]]);
  for (const event of events) if (Number(event.blockNumber) > oldest) blocks.set(Number(event.blockNumber), event.blockHash);
  const rows = [...blocks].map(([blockNumber, blockHash]) => ({ chainId, blockNumber, blockHash }));
  await insertRows(tx, indexerBlocks, rows);
  await tx.delete(indexerBlocks).where(and(eq(indexerBlocks.chainId, chainId), lt(indexerBlocks.blockNumber, oldest)));
}

/** Everything that the chain told. */
async function clear(tx: Queryable, chainId: number): Promise<void> {
  for (const table of [
    indexerEvents,
    indexerBlocks,
    indexerStreams,
    indexerChannels,
    indexerProviders,
    indexerSettlements,
    indexerPrices,
    indexerKeeperActions,
    indexerKeepers,
    indexerKeeperDays,
    indexerModels,
    indexerCredits,
    indexerTotals,
    indexerDays,
    indexerIntervals,
    indexerProviderDays,
  ]) {
    await tx.delete(table).where(eq(table.chainId, chainId));
  }
}
