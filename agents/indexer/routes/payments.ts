import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  indexerChannels,
  indexerCredits,
  indexerSettlements,
  isNotNull,
  isNull,
  pageItem,
  quoted,
  readPage,
  sql,
} from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, hexText } from "../cursor.ts";
import { listEvents } from "./events.ts";
import { type ApiContext, type Handlers, json, pageJson } from "./handler.ts";

type ChannelItem = IndexerAnswer<"channels">["items"][number];
type SettlementItem = IndexerAnswer<"settlements">["items"][number];
type CreditItem = IndexerAnswer<"credits">["items"][number];

/** Channels, what ended or paid, and what waits to be collected. */
export function paymentRoutes({ db, chainId }: ApiContext): Handlers<"channels" | "channel" | "settlements" | "credits"> {
  return {
    channels: async ({ payer, payee, asset, status, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [digits, digits]);
      const { openedBlock, openedLog, closedAt, withdrawableAt } = indexerChannels;
      const page = await readPage<ChannelItem>(db, {
        from: sql`${indexerChannels}`,
        where: and(
          eq(indexerChannels.chainId, chainId),
          payer === undefined ? undefined : eq(indexerChannels.payer, payer),
          payee === undefined ? undefined : eq(indexerChannels.payee, payee),
          asset === undefined ? undefined : eq(indexerChannels.asset, asset),
          status === undefined ? undefined : status === "closed" ? isNotNull(closedAt) : isNull(closedAt),
          status === "open" ? isNull(withdrawableAt) : undefined,
          status === "closing" ? isNotNull(withdrawableAt) : undefined,
          beyond([sql`${openedBlock}`, sql`${openedLog}`], after, "desc"),
        ),
        orderBy: [desc(openedBlock), desc(openedLog)],
        item: channelItem,
        keys: [openedBlock, openedLog],
        limit,
      });
      return pageJson(page, head);
    },
    channel: async ({ id }) => {
      const { items } = await readPage<ChannelItem>(db, {
        from: sql`${indexerChannels}`,
        where: and(eq(indexerChannels.chainId, chainId), eq(indexerChannels.id, id)),
        orderBy: [asc(indexerChannels.id)],
        item: channelItem,
        keys: [],
        limit: 1,
      });
      if (items === "") throw new AppError("NOT_FOUND", `There is no channel ${id}.`, { param: "id" });
      const events = await listEvents(db, { chainId, subject: `channel:${id}`, order: "asc", limit: 100 });
      return json({ ...(JSON.parse(items) as ChannelItem), events });
    },
    settlements: async ({ payer, payee, providerId, kind, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [digits, digits]);
      const { blockNumber, logIndex } = indexerSettlements;
      const page = await readPage<SettlementItem>(db, {
        from: sql`${indexerSettlements}`,
        where: and(
          eq(indexerSettlements.chainId, chainId),
          payer === undefined ? undefined : eq(indexerSettlements.payer, payer),
          payee === undefined ? undefined : eq(indexerSettlements.payee, payee),
          providerId === undefined ? undefined : eq(indexerSettlements.providerId, providerId),
          kind === undefined ? undefined : eq(indexerSettlements.kind, kind),
          beyond([sql`${blockNumber}`, sql`${logIndex}`], after, "desc"),
        ),
        orderBy: [desc(blockNumber), desc(logIndex)],
        item: settlementItem,
        keys: [blockNumber, logIndex],
        limit,
      });
      return pageJson(page, head);
    },
    credits: async ({ account, contract, asset, all, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [hexText, /^\w{1,32}$/, hexText]);
      const order = [indexerCredits.account, indexerCredits.contract, indexerCredits.asset];
      const page = await readPage<CreditItem>(db, {
        from: sql`${indexerCredits}`,
        where: and(
          eq(indexerCredits.chainId, chainId),
          account === undefined ? undefined : eq(indexerCredits.account, account),
          contract === undefined ? undefined : eq(indexerCredits.contract, contract),
          asset === undefined ? undefined : eq(indexerCredits.asset, asset),
          all === true ? undefined : gt(indexerCredits.added, sql`${indexerCredits.withdrawn}`),
          beyond(
            order.map((column) => sql`${column}`),
            after,
            "asc",
          ),
        ),
        orderBy: order.map((column) => asc(column)),
        item: creditItem,
        keys: order,
        limit,
      });
      return pageJson(page, head);
    },
  };
}

const { chainId: _, openedBlock: __, openedLog: ___, ...channelColumns } = getTableColumns(indexerChannels);
const channelItem = pageItem<ChannelItem>({
  ...channelColumns,
  status: sql`case when ${indexerChannels.closedAt} is not null then '"closed"'
    when ${indexerChannels.withdrawableAt} is not null then '"closing"' else '"open"' end`,
});

const { chainId: ____, ...settlementColumns } = getTableColumns(indexerSettlements);
const settlementItem = pageItem<SettlementItem>(settlementColumns);

const { account, contract, asset, added, withdrawn } = indexerCredits;
const creditItem = pageItem<CreditItem>({ account, contract, asset, amount: quoted(sql`${added} - ${withdrawn}`), added, withdrawn });
