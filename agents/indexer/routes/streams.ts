import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer, IndexerQuery } from "@clawcompute/lib/indexer";
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  indexerStreams,
  isNotNull,
  isNull,
  lte,
  pageItem,
  quoted,
  readPage,
  type SQL,
  sql,
} from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, encodeCursor } from "../cursor.ts";
import type { Head } from "../head.ts";
import { accruedAt, createRankings } from "../ranking.ts";
import { listEvents, readEvents } from "./events.ts";
import { type ApiContext, type Handlers, json, pageJson } from "./handler.ts";

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
    const ids = JSON.stringify(shown.map(({ id }) => String(id)));
    const page = await readPage<StreamItem>(db, {
      from: sql`${at(head.at)}, json_array_elements_text(${ids}::json) with ordinality as ranked(id, place)
        join ${indexerStreams} on ${indexerStreams.id} = ranked.id::bigint`,
      where: and(eq(indexerStreams.chainId, chainId), isNull(indexerStreams.closedAt)),
      orderBy: [sql`ranked.place`],
      item: streamItem,
      keys: [],
      limit,
    });
    const last = shown.at(-1);
    return pageJson(page, head, more && last ? encodeCursor([ranking.asOf, last.accrued, last.id]) : null);
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
      const page = await readPage<StreamItem>(db, {
        from: sql`${indexerStreams}, ${at(head.at)}`,
        where: and(eq(indexerStreams.chainId, chainId), ...filtersOf(query, sort, head.at), order.after),
        orderBy: order.by,
        item: streamItem,
        keys: order.keys,
        limit: query.limit,
      });
      return pageJson(page, head);
    },
    stream: async ({ id }, head) => {
      const { items } = await readPage<StreamItem>(db, {
        from: sql`${indexerStreams}, ${at(head.at)}`,
        where: and(eq(indexerStreams.chainId, chainId), eq(indexerStreams.id, BigInt(id))),
        orderBy: [asc(indexerStreams.id)],
        item: streamItem,
        keys: [],
        limit: 1,
      });
      if (items === "") throw new AppError("NOT_FOUND", `There is no stream ${id}.`, { param: "id" });
      const events = await listEvents(db, { chainId, subject: `stream:${id}`, order: "asc", limit: EVENTS_SHOWN });
      return json({ ...(JSON.parse(items) as StreamItem), events });
    },
    streamEvents: async ({ id, limit, cursor }, head) =>
      pageJson(await readEvents(db, { chainId, subject: `stream:${id}`, order: "asc", limit, cursor }), head),
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

interface Order {
  readonly by: SQL[];
  readonly keys: SQL[];
  readonly after: SQL | undefined;
}

function orderOf(sort: "id" | "end" | "accrued", asOf: number, keys: readonly string[] | undefined): Order {
  const [id, end] = [sql`${indexerStreams.id}`, sql`${indexerStreams.end}`];
  if (sort === "id") return { by: [desc(id)], keys: [id], after: beyond([id], keys, "desc") };
  if (sort === "end") return { by: [asc(end), asc(id)], keys: [end, id], after: beyond([end, id], keys, "asc") };
  const accrued = accruedAt(sql`${asOf}::bigint`);
  return { by: [desc(accrued), desc(id)], keys: [sql`${asOf}::bigint`, accrued, id], after: beyond([accrued, id], keys, "desc") };
}

/** The chain time that a page is for: named, so that the statement stays the same. */
const at = (now: number) => sql`(select ${now}::bigint as now) clock`;
const now = sql.raw("clock.now");

const { chainId: _, closedAt, closedHow, successor, ...columns } = getTableColumns(indexerStreams);
const streamItem = pageItem<StreamItem>({
  ...columns,
  status: sql`case when ${closedAt} is not null then '"closed"' when ${columns.end} > ${now} then '"active"' else '"ended"' end`,
  deposit: quoted(sql`${columns.ratePerSecond} * (${columns.end} - ${columns.start})`),
  accrued: quoted(sql`case when ${closedAt} is null then ${accruedAt(now)} else 0 end`),
  asOf: now,
  closedAt,
  closedHow,
  successor,
});
