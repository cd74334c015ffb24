import {
  count,
  type Database,
  eq,
  indexerChannels,
  indexerCredits,
  indexerDays,
  indexerEvents,
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
  type Store,
  sql,
} from "@clawcompute/lib/store";

const tables = [
  indexerStreams,
  indexerEvents,
  indexerProviders,
  indexerSettlements,
  indexerPrices,
  indexerChannels,
  indexerKeeperActions,
  indexerProviderDays,
  indexerIntervals,
  indexerDays,
  indexerTotals,
  indexerCredits,
  indexerKeepers,
  indexerKeeperDays,
  indexerModels,
];
const FIRST = 5_000;

/**
 * Tells the database how large its tables have become, without which it plans pages as if they were empty; the embedded one, which
 * nobody else looks after, also frees what updates left behind. Called after each write with the number of events; it does something
 * when they have doubled, or grown by a tenth and there is nothing else to do. One table at a time, so that readers get in between.
 */
export function createTidying(
  { db, kind }: Pick<Store, "db" | "kind">,
  chainId: number,
): (written: number, idle: boolean) => Promise<boolean> {
  let events: number | undefined;
  let tidied = 0;
  return async (written, idle) => {
    events = events === undefined ? await countEvents(db, chainId) : events + written;
    if (events < FIRST || events < tidied * (idle ? 1.1 : 2)) return false;
    tidied = events;
    for (const table of tables) await db.execute(kind === "embedded" ? sql`vacuum (analyze) ${table}` : sql`analyze ${table}`);
    return true;
  };
}

async function countEvents(db: Database, chainId: number): Promise<number> {
  const [row] = await db.select({ events: count() }).from(indexerEvents).where(eq(indexerEvents.chainId, chainId));
  return row?.events ?? 0;
}
