import { type ChainLogger, connectChain } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { systemClock } from "@clawcompute/lib/node";
import {
  createWriterLock,
  type Database,
  eq,
  indexerChannels,
  indexerCredits,
  indexerDays,
  indexerEvents,
  indexerKeeperActions,
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
  totals: indexerTotals,
  days: indexerDays,
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

/** What a new and empty store holds after reading the chain up to its newest block. */
export async function freshContents(network: Network, logger?: ChainLogger): Promise<Contents> {
  const store = await openStore({});
  try {
    await followTo(store.db, network, logger);
    return await contentsOf(store.db, network.chainId);
  } finally {
    await store.close();
  }
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
