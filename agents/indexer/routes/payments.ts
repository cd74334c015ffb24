import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  and,
  asc,
  desc,
  eq,
  gt,
  indexerChannels,
  indexerCredits,
  indexerSettlements,
  isNotNull,
  isNull,
  readRows,
  sql,
} from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, hexText, paged } from "../cursor.ts";
import { readEvents } from "./events.ts";
import type { ApiContext, Handlers } from "./handler.ts";

type ChannelItem = IndexerAnswer<"channels">["items"][number];
type SettlementItem = IndexerAnswer<"settlements">["items"][number];
type CreditItem = IndexerAnswer<"credits">["items"][number];

/** Channels, what ended or paid, and what waits to be collected. */
export function paymentRoutes({ db, chainId }: ApiContext): Handlers<"channels" | "channel" | "settlements" | "credits"> {
  return {
    channels: async ({ payer, payee, asset, status, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits, digits]);
      const { openedBlock, openedLog, closedAt, withdrawableAt } = indexerChannels;
      const rows = await readRows(db, indexerChannels, {
        where: and(
          eq(indexerChannels.chainId, chainId),
          payer === undefined ? undefined : eq(indexerChannels.payer, payer),
          payee === undefined ? undefined : eq(indexerChannels.payee, payee),
          asset === undefined ? undefined : eq(indexerChannels.asset, asset),
          status === undefined ? undefined : status === "closed" ? isNotNull(closedAt) : isNull(closedAt),
          status === "open" ? isNull(withdrawableAt) : undefined,
          status === "closing" ? isNotNull(withdrawableAt) : undefined,
          beyond([sql`${openedBlock}`, sql`${openedLog}`], keys, "desc"),
        ),
        orderBy: [desc(openedBlock), desc(openedLog)],
        limit: limit + 1,
      });
      return { ...paged(rows, limit, channelItem, (row) => [row.openedBlock, row.openedLog]), block: head.blockNumber };
    },
    channel: async ({ id }) => {
      const [row] = await readRows(db, indexerChannels, { where: and(eq(indexerChannels.chainId, chainId), eq(indexerChannels.id, id)) });
      if (!row) throw new AppError("NOT_FOUND", `There is no channel ${id}.`, { param: "id" });
      const { items: events } = await readEvents(db, { chainId, subject: `channel:${id}`, order: "asc", limit: 100 });
      return { ...channelItem(row), events };
    },
    settlements: async ({ payer, payee, providerId, kind, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits, digits]);
      const { blockNumber, logIndex } = indexerSettlements;
      const rows = await readRows(db, indexerSettlements, {
        where: and(
          eq(indexerSettlements.chainId, chainId),
          payer === undefined ? undefined : eq(indexerSettlements.payer, payer),
          payee === undefined ? undefined : eq(indexerSettlements.payee, payee),
          providerId === undefined ? undefined : eq(indexerSettlements.providerId, providerId),
          kind === undefined ? undefined : eq(indexerSettlements.kind, kind),
          beyond([sql`${blockNumber}`, sql`${logIndex}`], keys, "desc"),
        ),
        orderBy: [desc(blockNumber), desc(logIndex)],
        limit: limit + 1,
      });
      return { ...paged(rows, limit, settlementItem, (row) => [row.blockNumber, row.logIndex]), block: head.blockNumber };
    },
    credits: async ({ account, contract, asset, all, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [hexText, /^\w{1,32}$/, hexText]);
      const order = [indexerCredits.account, indexerCredits.contract, indexerCredits.asset];
      const rows = await readRows(db, indexerCredits, {
        where: and(
          eq(indexerCredits.chainId, chainId),
          account === undefined ? undefined : eq(indexerCredits.account, account),
          contract === undefined ? undefined : eq(indexerCredits.contract, contract),
          asset === undefined ? undefined : eq(indexerCredits.asset, asset),
          all === true ? undefined : gt(indexerCredits.added, sql`${indexerCredits.withdrawn}`),
          beyond(
            order.map((column) => sql`${column}`),
            keys,
            "asc",
          ),
        ),
        orderBy: [...order.map((column) => asc(column))],
        limit: limit + 1,
      });
      return { ...paged(rows, limit, creditItem, (row) => [row.account, row.contract, row.asset]), block: head.blockNumber };
    },
  };
}

function channelItem(row: typeof indexerChannels.$inferSelect): ChannelItem {
  const { chainId: _, openedBlock: __, openedLog: ___, deposit, settled, refunded, ...rest } = row;
  const status = row.closedAt !== null ? "closed" : row.withdrawableAt !== null ? "closing" : "open";
  return { ...rest, status, deposit: String(deposit), settled: String(settled), refunded: String(refunded) };
}

function settlementItem(row: typeof indexerSettlements.$inferSelect): SettlementItem {
  const { chainId: _, streamId, kind, paid, rewards, refunded, ...rest } = row;
  return {
    ...rest,
    kind: kind as SettlementItem["kind"],
    streamId: streamId === null ? null : String(streamId),
    paid: String(paid),
    rewards: String(rewards),
    refunded: String(refunded),
  };
}

function creditItem({ account, contract, asset, added, withdrawn }: typeof indexerCredits.$inferSelect): CreditItem {
  const amounts = { amount: String(added - withdrawn), added: String(added), withdrawn: String(withdrawn) };
  return { account, contract: contract as CreditItem["contract"], asset, ...amounts };
}
