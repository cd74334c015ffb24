import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  and,
  desc,
  eq,
  getTableColumns,
  gte,
  indexerIntervals,
  indexerKeeperDays,
  indexerProbes,
  indexerTotals,
  lte,
  pageItem,
  readPage,
  sql,
} from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, hexText, paged } from "../cursor.ts";
import { type ApiContext, dateOf, dateOfDay, type Handlers, json, pageJson } from "./handler.ts";

type Interval = IndexerAnswer<"activity">["items"][number];
type KeeperDay = Omit<IndexerAnswer<"keeperDays">["items"][number], "date">;
type UptimeDay = IndexerAnswer<"providerUptime">["items"][number];
const SECONDS = { minute: 60, hour: 3_600 } as const;

const { chainId: _, providerId: __, latencyMs, ...probeColumns } = getTableColumns(indexerProbes);
const uptimeItem = pageItem<UptimeDay>({
  ...probeColumns,
  date: dateOfDay(indexerProbes.day),
  meanLatencyMs: sql`coalesce(round(${latencyMs}::numeric / nullif(${indexerProbes.answered}, 0))::text, 'null')`,
});

/** What charts are drawn from; every sum was made while the events came in. */
export function analyticsRoutes({ db, chainId }: ApiContext): Handlers<"activity" | "keeperDays" | "providerUptime"> {
  async function pageOf<Row>(query: ReturnType<typeof sql>): Promise<Row[]> {
    const { rows } = (await db.execute(sql`select coalesce(json_agg(r), '[]')::text as page from (${query}) r`)) as unknown as {
      rows: [{ page: string }];
    };
    return JSON.parse(rows[0].page) as Row[];
  }

  return {
    activity: async ({ step, asset, from, to, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits, hexText]);
      const i = indexerIntervals;
      const ofStep = and(eq(i.chainId, chainId), eq(i.seconds, SECONDS[step]), asset === undefined ? undefined : eq(i.asset, asset));
      const where = and(
        ofStep,
        from === undefined ? undefined : gte(i.at, from),
        to === undefined ? undefined : lte(i.at, to),
        beyond([sql`${i.at}`, sql`${i.asset}`], keys, "desc"),
      );
      // Open at the end of an interval: what is open now, less what later ones opened. No older interval has to be read.
      const rows = await pageOf<Interval>(sql`
        with page as materialized (select * from ${i} where ${where} order by ${i.at} desc, ${i.asset} desc limit ${limit + 1}),
        later as (
          select ${i.at}, ${i.asset}, sum(${i.streamsOpened} - ${i.streamsClosed})
            over (partition by ${i.asset} order by ${i.at} desc rows between unbounded preceding and 1 preceding) as net
          from ${i} where ${ofStep} and ${i.at} >= (select min(at) from page))
        select p.at, p.asset, p.streams_opened as "streamsOpened", p.streams_closed as "streamsClosed",
          p.channels_opened as "channelsOpened", p.channels_closed as "channelsClosed", p.deposited::text, p.paid::text, p.rewards::text,
          p.refunded::text, p.sold_ms::text as "soldMs", p.payments,
          (t.streams_opened - t.streams_closed - coalesce(l.net, 0))::bigint as "streamsOpen"
        from page p join later l on l.at = p.at and l.asset = p.asset
          join ${indexerTotals} t on t.chain_id = ${chainId} and t.asset = p.asset
        order by p.at desc, p.asset desc`);
      const page = paged(
        rows,
        limit,
        (row) => row,
        (row) => [row.at, row.asset],
      );
      return json({ ...page, block: head.blockNumber });
    },
    keeperDays: async ({ keeper, from, to, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits]);
      const d = indexerKeeperDays;
      const where = and(
        eq(d.chainId, chainId),
        keeper === undefined ? undefined : eq(d.keeper, keeper),
        from === undefined ? undefined : gte(d.day, from),
        to === undefined ? undefined : lte(d.day, to),
        beyond([sql`${d.day}`], keys, "desc"),
      );
      const rows = await pageOf<KeeperDay>(sql`
        select ${d.day}, count(*) as keepers, sum(${d.events})::bigint as actions, sum(${d.streams})::bigint as streams,
          sum(${d.completed})::bigint as completed, sum(${d.accrued})::text as accrued, sum(${d.reward})::text as reward,
          sum(${d.gasWei})::text as "gasCost", (sum(${d.reward}) - sum(${d.gasWei}))::text as net
        from ${d} where ${where} group by ${d.day} order by ${d.day} desc limit ${limit + 1}`);
      const page = paged(
        rows,
        limit,
        (row) => ({ ...row, date: dateOf(row.day) }),
        (row) => [row.day],
      );
      return json({ ...page, block: head.blockNumber });
    },
    providerUptime: async ({ id, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [digits]);
      const { providerId, day } = indexerProbes;
      const page = await readPage<UptimeDay>(db, {
        from: sql`${indexerProbes}`,
        where: and(eq(indexerProbes.chainId, chainId), eq(providerId, id), beyond([sql`${day}`], after, "desc")),
        orderBy: [desc(day)],
        item: uptimeItem,
        keys: [day],
        limit,
      });
      return pageJson(page, head);
    },
  };
}
