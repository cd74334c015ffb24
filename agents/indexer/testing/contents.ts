import { type ChainLogger, connectChain } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { systemClock } from "@clawcompute/lib/node";
import {
  createWriterLock,
  type Database,
  eq,
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
  indexerProviderDays,
  indexerProviders,
  indexerSettlements,
  indexerStreams,
  indexerTotals,
  openStore,
} from "@clawcompute/lib/store";
import { createRecordingLogger } from "@clawcompute/lib/testing";
import { follow } from "../follow.ts";

const tables = {
  events: indexerEvents,
  providers: indexerProviders,
  streams: indexerStreams,
  channels: indexerChannels,
  settlements: indexerSettlements,
  prices: indexerPrices,
  models: indexerModels,
  credits: indexerCredits,
  keeperActions: indexerKeeperActions,
  keepers: indexerKeepers,
  keeperDays: indexerKeeperDays,
  totals: indexerTotals,
  days: indexerDays,
  intervals: indexerIntervals,
  providerDays: indexerProviderDays,
};

export type Contents = Readonly<Record<keyof typeof tables, readonly string[]>>;

/** Everything that the chain told, in an order that does not depend on how it came in. */
export async function contentsOf(db: Database, chainId: number): Promise<Contents> {
  const contents: Record<string, string[]> = {};
  for (const [name, table] of Object.entries(tables)) {
    const rows = await db.select().from(table).where(eq(table.chainId, chainId));
    contents[name] = rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value))).sort();
  }
  return contents as unknown as Contents;
}

/** A store that is emptied and filled anew from the chain each time it is asked: what every other store must equal. */
export async function openReference(network: Network) {
  const store = await openStore({});
  return {
    contents: async (): Promise<Contents> => {
      await emptyStore(store.db);
      await followTo(store.db, network);
      return contentsOf(store.db, network.chainId);
    },
    close: () => store.close(),
  };
}

export async function emptyStore(db: Database): Promise<void> {
  for (const table of [...Object.values(tables), indexerHeads, indexerBlocks]) await db.delete(table);
}

export interface Difference {
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
}

/** How a store differs from the reference: events that are missing or twice, and rows of other tables that are not the same. */
export function differenceOf(found: Contents, reference: Contents): Difference {
  const known = new Set(reference.events);
  const seen = new Set<string>();
  const doubled = found.events.filter((row) => seen.size === seen.add(row).size || !known.has(row)).length;
  const wrong = Object.entries(reference).reduce((sum, [name, rows]) => {
    const others = new Set(found[name as keyof Contents]);
    const same = rows.filter((row) => others.has(row)).length;
    return name === "events" ? sum : sum + Math.max(rows.length, found[name as keyof Contents].length) - same;
  }, 0);
  return { rows: reference.events.length, lost: reference.events.filter((row) => !seen.has(row)).length, doubled, wrong };
}

/** Follows the chain into `db` until the newest block of now is there. */
export async function followTo(db: Database, network: Network, logger: ChainLogger = createRecordingLogger()): Promise<void> {
  const chain = connectChain(network);
  const target = Number(await chain.client.getBlockNumber());
  const done = new AbortController();
  await follow({
    chain,
    db,
    lock: createWriterLock(undefined, 0),
    clock: systemClock,
    signal: done.signal,
    logger,
    pollMs: 20,
    onWritten: ({ block, rolledBack }) => {
      if (!rolledBack && block >= target) done.abort();
    },
  });
}
