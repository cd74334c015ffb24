import type { IndexerAnswer, IndexerParams, IndexerQuery, IndexerRouteName } from "@clawcompute/lib/indexer";
import type { Database } from "@clawcompute/lib/store";
import type { Head, HeadTracker } from "../head.ts";

export interface ApiContext {
  readonly db: Database;
  readonly chainId: number;
  readonly heads: HeadTracker;
}

type Input<N extends IndexerRouteName> = IndexerParams<N> & IndexerQuery<N>;

/** Answers from the store as it is at `head` or a little later. */
export type Handler<N extends IndexerRouteName> = (input: Input<N>, head: Head) => Promise<IndexerAnswer<N>>;
export type Handlers<N extends IndexerRouteName> = { readonly [K in N]: Handler<K> };

export const dateOf = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
export const dayOf = (seconds: number): number => Math.floor(seconds / 86_400);
