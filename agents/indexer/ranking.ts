import { and, type Database, desc, eq, indexerStreams, isNull, type SQL, sql } from "@clawcompute/lib/store";
import type { Address } from "viem";
import type { Head } from "./head.ts";

export interface Ranked {
  readonly id: bigint;
  readonly accrued: bigint;
}

export interface Ranking {
  /** Chain time that it is for. */
  readonly asOf: number;
  /** Open streams by what accrued, most first. */
  readonly streams: readonly Ranked[];
  /** Whether there are more open streams than these. */
  readonly whole: boolean;
}

export interface Rankings {
  /** Of all assets, or of one. May be `REFRESH_MS` old. */
  latest(asset: Address | undefined, head: Head): Promise<Ranking>;
  /** The one for that chain time, while it is kept. */
  at(asset: Address | undefined, asOf: number): Ranking | undefined;
}

const RANKED = 5_000;
const REFRESH_MS = 10_000;
const ASSETS_KEPT = 8;

/** `asOf`: chain time. */
export const accruedAt = (asOf: SQL) => {
  const { ratePerSecond, end, lastPaid } = indexerStreams;
  return sql`(${ratePerSecond} * greatest(least(${end}, ${asOf}) - ${lastPaid}, 0))`;
};

/**
 * What accrued changes with every second at every stream's own rate, so no index of the database can keep that order. It is worked out
 * now and then over all open streams, for everybody who asks; a stale one is served while the next is made.
 */
export function createRankings(db: Database, chainId: number, now: () => number): Rankings {
  const kept = new Map<string, { made: number; version: number; making: boolean; current: Promise<Ranking>; known: Ranking[] }>();

  async function make(asset: Address | undefined, asOf: number): Promise<Ranking> {
    const { id, closedAt } = indexerStreams;
    const accrued = accruedAt(sql`${asOf}::bigint`);
    const rows = await db
      .select({ id, accrued: sql<string>`${accrued}::text` })
      .from(indexerStreams)
      .where(and(eq(indexerStreams.chainId, chainId), isNull(closedAt), asset === undefined ? undefined : eq(indexerStreams.asset, asset)))
      .orderBy(sql`${accrued} desc`, desc(id))
      .limit(RANKED + 1);
    const streams = rows.slice(0, RANKED).map((row) => ({ id: row.id, accrued: BigInt(row.accrued) }));
    return { asOf, streams, whole: rows.length <= RANKED };
  }

  return {
    latest: async (asset, head) => {
      const key = asset ?? "";
      let entry = kept.get(key);
      if (!entry) {
        if (kept.size >= ASSETS_KEPT) kept.delete(kept.keys().next().value as string);
        entry = { made: now(), version: head.version, making: false, current: make(asset, head.at), known: [] };
        kept.set(key, entry);
        const first = entry;
        entry.current.then(
          (ranking) => first.known.push(ranking),
          () => kept.delete(key),
        );
      } else if (!entry.making && entry.version !== head.version && now() - entry.made >= REFRESH_MS) {
        const stale = entry;
        stale.making = true;
        make(asset, head.at)
          .then(
            (ranking) => {
              stale.current = Promise.resolve(ranking);
              stale.known = [...stale.known.slice(-1), ranking];
              stale.version = head.version;
            },
            () => {},
          )
          .finally(() => {
            stale.made = now();
            stale.making = false;
          });
      }
      return entry.current;
    },
    at: (asset, asOf) => kept.get(asset ?? "")?.known.find((ranking) => ranking.asOf === asOf),
  };
}
