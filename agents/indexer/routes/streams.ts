import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer, IndexerQuery } from "@clawcompute/lib/indexer";
import { among, and, asc, desc, eq, gt, indexerStreams, isNotNull, isNull, lte, readRows, type SQL, sql } from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, encodeCursor, paged } from "../cursor.ts";
import type { Head } from "../head.ts";
import { accruedAt, createRankings } from "../ranking.ts";
import { readEvents } from "./events.ts";
import type { ApiContext, Handlers } from "./handler.ts";

type StreamRow = typeof indexerStreams.$inferSelect;
type StreamItem = IndexerAnswer<"streams">["items"][number];
type Query = IndexerQuery<"streams">;

const EVENTS_SHOWN = 100;

export function streamRoutes({ db, chainId }: ApiContext): Handlers<"streams" | "stream" | "streamEvents"> {
  const rankings = createRankings(db, chainId, () => performance.now());

  /** A page of the ranking; undefined when it does not reach that far. */
  async function rankedPage({ asset, limit }: Query, head: Head, keys: readonly string[] | undefined) {
    const ranking = keys ? rankings.at(asset, Number(keys[0])) : await rankings.latest(asset, head);
    if (!ranking) return undefined;
    const from = keys ? ranking.streams.findIndex(({ id }) => String(id) === keys[2]) + 1 : 0;
    if (keys && from === 0) return undefined;
    const shown = ranking.streams.slice(from, from + limit);
    const more = from + limit < ranking.streams.length;
    if (!more && !ranking.whole) return undefined;
    const rows = await readRows(db, indexerStreams, {
      where: and(
        eq(indexerStreams.chainId, chainId),
        among(
          indexerStreams.id,
          shown.map(({ id }) => id),
        ),
        isNull(indexerStreams.closedAt),
      ),
    });
    const byId = new Map(rows.map((row) => [row.id, row]));
    const items = shown.map(({ id }) => byId.get(id)).filter((row) => row !== undefined);
    const last = shown.at(-1);
    const next = more && last ? encodeCursor([ranking.asOf, last.accrued, last.id]) : null;
    return { items: items.map((row) => streamItem(row, head.at)), next, block: head.blockNumber };
  }

  return {
    streams: async (query, head) => {
      const sort = query.sort ?? (query.status === "ended" ? "end" : "id");
      if (sort !== "id" && query.status === "closed") {
        throw new AppError("BAD_REQUEST", `sort: closed streams cannot be sorted by ${sort}.`, { param: "sort", hint: "Use sort=id." });
      }
      const keys = decodeCursor(query.cursor, { id: [digits], end: [digits, digits], accrued: [digits, digits, digits] }[sort]);
      const { payer, payee, providerId, status } = query;
      if (sort === "accrued" && payer === undefined && payee === undefined && providerId === undefined && (status ?? "open") === "open") {
        const page = await rankedPage(query, head, keys);
        if (page) return page;
      }
      // By what accrued: all pages are for the chain time of the first one.
      const asOf = sort === "accrued" && keys ? Number(keys[0]) : head.at;
      const order = orderOf(sort, asOf, sort === "accrued" ? keys?.slice(1) : keys);
      const rows = await readRows(db, indexerStreams, {
        where: and(eq(indexerStreams.chainId, chainId), ...filtersOf(query, sort, head.at), order.after),
        orderBy: [...order.by],
        limit: query.limit + 1,
      });
      const keysOf = (row: StreamRow) => ({ id: [row.id], end: [row.end, row.id], accrued: [asOf, accruedOf(row, asOf), row.id] })[sort];
      return { ...paged(rows, query.limit, (row) => streamItem(row, head.at), keysOf), block: head.blockNumber };
    },
    stream: async ({ id }, head) => {
      const [row] = await readRows(db, indexerStreams, {
        where: and(eq(indexerStreams.chainId, chainId), eq(indexerStreams.id, BigInt(id))),
      });
      if (!row) throw new AppError("NOT_FOUND", `There is no stream ${id}.`, { param: "id" });
      const { items: events } = await readEvents(db, { chainId, subject: `stream:${id}`, order: "asc", limit: EVENTS_SHOWN });
      return { ...streamItem(row, head.at), events };
    },
    streamEvents: async ({ id, limit, cursor }, head) => ({
      ...(await readEvents(db, { chainId, subject: `stream:${id}`, order: "asc", limit, cursor })),
      block: head.blockNumber,
    }),
  };
}

function filtersOf({ payer, payee, providerId, asset, status }: Query, sort: "id" | "end" | "accrued", now: number): (SQL | undefined)[] {
  const open = status !== undefined ? status !== "closed" : sort !== "id";
  return [
    payer === undefined ? undefined : eq(indexerStreams.payer, payer),
    payee === undefined ? undefined : eq(indexerStreams.payee, payee),
    providerId === undefined ? undefined : eq(indexerStreams.providerId, providerId),
    asset === undefined ? undefined : eq(indexerStreams.asset, asset),
    open ? isNull(indexerStreams.closedAt) : undefined,
    status === "closed" ? isNotNull(indexerStreams.closedAt) : undefined,
    status === "active" ? gt(indexerStreams.end, now) : undefined,
    status === "ended" ? lte(indexerStreams.end, now) : undefined,
  ];
}

function orderOf(sort: "id" | "end" | "accrued", asOf: number, keys: readonly string[] | undefined): { by: SQL[]; after: SQL | undefined } {
  const { id, end } = indexerStreams;
  if (sort === "id") return { by: [desc(id)], after: beyond([sql`${id}`], keys, "desc") };
  if (sort === "end") return { by: [asc(end), asc(id)], after: beyond([sql`${end}`, sql`${id}`], keys, "asc") };
  const accrued = accruedAt(asOf);
  return { by: [sql`${accrued} desc`, desc(id)], after: beyond([accrued, sql`${id}`], keys, "desc") };
}

function accruedOf({ ratePerSecond, end, lastPaid, closedAt }: StreamRow, now: number): bigint {
  return closedAt !== null ? 0n : ratePerSecond * BigInt(Math.max(0, Math.min(end, now) - lastPaid));
}

function streamItem(row: StreamRow, now: number): StreamItem {
  const { id, ratePerSecond, paid, rewards, refunded, successor, closedHow, chainId: _, ...rest } = row;
  return {
    ...rest,
    id: String(id),
    ratePerSecond: String(ratePerSecond),
    status: row.closedAt !== null ? "closed" : row.end > now ? "active" : "ended",
    deposit: String(ratePerSecond * BigInt(row.end - row.start)),
    accrued: String(accruedOf(row, now)),
    asOf: now,
    paid: String(paid),
    rewards: String(rewards),
    refunded: String(refunded),
    closedHow: closedHow as StreamItem["closedHow"],
    successor: successor === null ? null : String(successor),
  };
}
