import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gte,
  indexerDays,
  indexerKeeperActions,
  indexerKeepers,
  indexerModels,
  indexerStreams,
  indexerTotals,
  isNull,
  lte,
  pageItem,
  quoted,
  readPage,
  readRows,
  sql,
} from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, hexText, paged } from "../cursor.ts";
import { readEvents } from "./events.ts";
import { type ApiContext, dateOf, type Handlers, json, pageJson } from "./handler.ts";

type KeeperItem = IndexerAnswer<"keepers">["items"][number];
type ActionItem = IndexerAnswer<"keeperActions">["items"][number];
type Sums = Pick<typeof indexerTotals.$inferSelect, "deposited" | "paid" | "rewards" | "refunded" | "soldMs">;

const { keeper, events: actions, streams, completed, accrued, reward, gasWei: gasCost } = indexerKeepers;
const net = quoted(sql`${reward} - ${gasCost}`);
const keeperItem = pageItem<KeeperItem>({ keeper, actions, streams, completed, accrued, reward, gasCost, net });

const { chainId: _, ...actionColumns } = getTableColumns(indexerKeeperActions);
const actionItem = pageItem<ActionItem>({
  ...actionColumns,
  gasCost: quoted(sql`${indexerKeeperActions.gasUsed} * ${indexerKeeperActions.gasPrice}`),
});

/** Keepers and the network as a whole. */
export function networkRoutes({ db, chainId }: ApiContext): Handlers<"keepers" | "keeperActions" | "daily" | "events" | "stats"> {
  return {
    keepers: async ({ sort, limit, cursor }, head) => {
      const after = decodeCursor(cursor, sort === "reward" ? [digits, hexText] : [hexText]);
      const { keeper, reward } = indexerKeepers;
      const [keys, order] = sort === "reward" ? ([[reward, keeper], "desc"] as const) : ([[keeper], "asc"] as const);
      const page = await readPage<KeeperItem>(db, {
        from: sql`${indexerKeepers}`,
        where: and(
          eq(indexerKeepers.chainId, chainId),
          beyond(
            keys.map((key) => sql`${key}`),
            after,
            order,
          ),
        ),
        orderBy: keys.map(order === "asc" ? asc : desc),
        item: keeperItem,
        keys,
        limit,
      });
      return pageJson(page, head);
    },
    keeperActions: async ({ keeper, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [digits, digits]);
      const { blockNumber, logIndex } = indexerKeeperActions;
      const page = await readPage<ActionItem>(db, {
        from: sql`${indexerKeeperActions}`,
        where: and(
          eq(indexerKeeperActions.chainId, chainId),
          keeper === undefined ? undefined : eq(indexerKeeperActions.keeper, keeper),
          beyond([sql`${blockNumber}`, sql`${logIndex}`], after, "desc"),
        ),
        orderBy: [desc(blockNumber), desc(logIndex)],
        item: actionItem,
        keys: [blockNumber, logIndex],
        limit,
      });
      return pageJson(page, head);
    },
    daily: async ({ asset, from, to, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits, hexText]);
      const open = sql<string>`sum(${indexerDays.streamsOpened} - ${indexerDays.streamsClosed}) over (partition by ${indexerDays.asset} order by ${indexerDays.day})`;
      const whole = db
        .select({
          day: indexerDays.day,
          asset: indexerDays.asset,
          streamsOpened: indexerDays.streamsOpened,
          streamsClosed: indexerDays.streamsClosed,
          channelsOpened: indexerDays.channelsOpened,
          channelsClosed: indexerDays.channelsClosed,
          deposited: indexerDays.deposited,
          paid: indexerDays.paid,
          rewards: indexerDays.rewards,
          refunded: indexerDays.refunded,
          soldMs: indexerDays.soldMs,
          payments: indexerDays.payments,
          streamsOpen: open.as("streams_open"),
        })
        .from(indexerDays)
        .where(and(eq(indexerDays.chainId, chainId), asset === undefined ? undefined : eq(indexerDays.asset, asset)))
        .as("whole");
      const rows = await db
        .select()
        .from(whole)
        .where(
          and(
            from === undefined ? undefined : gte(whole.day, from),
            to === undefined ? undefined : lte(whole.day, to),
            beyond([sql`${whole.day}`, sql`${whole.asset}`], keys, "desc"),
          ),
        )
        .orderBy(desc(whole.day), desc(whole.asset))
        .limit(limit + 1);
      const item = (row: (typeof rows)[number]) => ({
        ...row,
        ...moneyOf(row),
        date: dateOf(row.day),
        streamsOpen: Number(row.streamsOpen),
      });
      return json({ ...paged(rows, limit, item, (row) => [row.day, row.asset]), block: head.blockNumber });
    },
    events: async ({ limit, cursor }, head) => pageJson(await readEvents(db, { chainId, order: "desc", limit, cursor }), head),
    stats: async (_, head) => {
      const totals = await readRows(db, indexerTotals, { where: eq(indexerTotals.chainId, chainId), orderBy: [asc(indexerTotals.asset)] });
      const [offers] = await db
        .select({
          total: sql<string>`coalesce(sum(${indexerModels.events}), 0)`,
          active: sql<string>`coalesce(sum(${indexerModels.active}), 0)`,
          models: sql<string>`count(distinct ${indexerModels.model})`,
        })
        .from(indexerModels)
        .where(eq(indexerModels.chainId, chainId));
      const [past] = await db
        .select({ ended: sql<string>`count(*)` })
        .from(indexerStreams)
        .where(and(eq(indexerStreams.chainId, chainId), isNull(indexerStreams.closedAt), lte(indexerStreams.end, head.at)));
      const sum = (key: "events" | "streamsOpened" | "streamsClosed" | "channelsOpened" | "channelsClosed") =>
        totals.reduce((total, row) => total + row[key], 0);
      const [open, ended] = [sum("streamsOpened") - sum("streamsClosed"), Number(past?.ended ?? 0)];
      const [channelsOpened, channelsClosed] = [sum("channelsOpened"), sum("channelsClosed")];
      return json({
        block: head.blockNumber,
        at: head.at,
        providers: { total: Number(offers?.total ?? 0), active: Number(offers?.active ?? 0), models: Number(offers?.models ?? 0) },
        streams: { opened: sum("streamsOpened"), closed: sum("streamsClosed"), open, active: open - ended, ended },
        channels: { opened: channelsOpened, closed: channelsClosed, open: channelsOpened - channelsClosed },
        assets: totals.map(({ chainId: _chain, events: _events, ...row }) => ({
          ...row,
          ...moneyOf(row),
          held: String(row.deposited - row.paid - row.rewards - row.refunded),
        })),
        events: sum("events"),
      });
    },
  };
}

function moneyOf({ deposited, paid, rewards, refunded, soldMs }: Sums) {
  return { deposited: String(deposited), paid: String(paid), rewards: String(rewards), refunded: String(refunded), soldMs: String(soldMs) };
}
