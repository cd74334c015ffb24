import type { IndexerAnswer, IndexerParams, IndexerQuery, IndexerRouteName } from "@clawcompute/lib/indexer";
import { type Database, type PageText, type PgColumn, quoted, type SQL, sql } from "@clawcompute/lib/store";
import { encodeCursor } from "../cursor.ts";
import type { Head, HeadTracker } from "../head.ts";

export interface ApiContext {
  readonly db: Database;
  readonly chainId: number;
  readonly heads: HeadTracker;
}

type Input<N extends IndexerRouteName> = IndexerParams<N> & IndexerQuery<N>;

/** What is sent, and what it says. */
export type Json<T> = string & { readonly says?: T };
export const json = <T>(answer: T): Json<T> => JSON.stringify(answer);

/** Answers from the store as it is at `head` or a little later. */
export type Handler<N extends IndexerRouteName> = (input: Input<N>, head: Head) => Promise<Json<IndexerAnswer<N>>>;
export type Handlers<N extends IndexerRouteName> = { readonly [K in N]: Handler<K> };

export const dateOf = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
/** The same, written by the database. */
export const dateOfDay = (day: PgColumn): SQL => quoted(sql`to_char(date '1970-01-01' + ${day}, 'YYYY-MM-DD')`);
export const dayOf = (seconds: number): number => Math.floor(seconds / 86_400);

interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
  readonly block: number;
}

/** A page whose items are JSON already. `next` replaces the cursor that follows from its last row. */
export function pageJson<Item>({ items, lastKeys }: PageText<Item>, { blockNumber }: Head, next?: string | null): Json<Page<Item>> {
  const cursor = next === undefined ? (lastKeys ? encodeCursor(lastKeys) : null) : next;
  return `{"items":[${items}],"next":${JSON.stringify(cursor)},"block":${blockNumber}}`;
}
