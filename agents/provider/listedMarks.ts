import { cursors, type Database, inArray } from "@clawcompute/lib/store";

/** Offers that this store's provider has put on the market: if one is off it after a restart, somebody took it off. */
export interface ListedMarks {
  of(ids: readonly number[]): Promise<ReadonlySet<number>>;
  set(id: number): Promise<void>;
  /** Taken off by the provider itself, which may put it back. */
  clear(id: number): Promise<void>;
}

export function createListedMarks(db: Database, chainId: number): ListedMarks {
  const nameOf = (id: number) => `listed:${chainId}:${id}`;
  return {
    of: async (ids) => {
      if (ids.length === 0) return new Set();
      const rows = await db
        .select({ name: cursors.name })
        .from(cursors)
        .where(inArray(cursors.name, ids.map(nameOf)));
      const names = new Set(rows.map(({ name }) => name));
      return new Set(ids.filter((id) => names.has(nameOf(id))));
    },
    set: async (id) => {
      await db
        .insert(cursors)
        .values({ name: nameOf(id), blockNumber: 0n, blockHash: "0x" })
        .onConflictDoNothing();
    },
    clear: async (id) => {
      await db.delete(cursors).where(inArray(cursors.name, [nameOf(id)]));
    },
  };
}
