import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  among,
  and,
  asc,
  desc,
  eq,
  gte,
  indexerModels,
  indexerPrices,
  indexerProbes,
  indexerProviderDays,
  indexerProviders,
  lte,
  readRows,
  sql,
} from "@clawcompute/lib/store";
import { anyText, beyond, decodeCursor, digits, hexText, paged } from "../cursor.ts";
import { priceDays } from "../priceDays.ts";
import { readEvents } from "./events.ts";
import { type ApiContext, dateOf, dayOf, type Handlers } from "./handler.ts";

type ProviderItem = IndexerAnswer<"provider">;
type ProviderRow = typeof indexerProviders.$inferSelect;

const UPTIME_DAYS = 7;

export function offerRoutes({
  db,
  chainId,
}: ApiContext): Handlers<"providers" | "provider" | "providerHistory" | "providerDays" | "models" | "prices" | "dailyPrices"> {
  let probed: Promise<boolean> | undefined;
  let lookedAt = 0;
  /** Where nothing probes, no page has to ask; looked up now and then. */
  function anyProbes(): Promise<boolean> {
    if (!probed || performance.now() - lookedAt > 5_000) {
      lookedAt = performance.now();
      const looking = readRows(db, indexerProbes, { where: eq(indexerProbes.chainId, chainId), limit: 1 }).then(
        (found) => found.length > 0,
      );
      looking.catch(() => {
        probed = undefined;
      });
      probed = looking;
    }
    return probed;
  }

  async function withUptime(rows: readonly ProviderRow[]): Promise<ProviderItem[]> {
    const since = dayOf(Date.now() / 1000) - UPTIME_DAYS + 1;
    const ids = rows.map(({ id }) => id);
    const where = and(eq(indexerProbes.chainId, chainId), gte(indexerProbes.day, since), among(indexerProbes.providerId, ids));
    const probes = ids.length > 0 && (await anyProbes()) ? await readRows(db, indexerProbes, { where }) : [];
    return rows.map((row) =>
      providerItem(
        row,
        probes.filter(({ providerId }) => providerId === row.id),
      ),
    );
  }

  return {
    providers: async ({ model, asset, serviceType, active, owner, minPrice, maxPrice, sort, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, sort === "id" ? [digits] : [digits, digits]);
      const column = { price: indexerProviders.pricePerSecond, earned: indexerProviders.earned, id: indexerProviders.id }[sort];
      const order = sort === "earned" ? "desc" : "asc";
      const direction = order === "asc" ? asc : desc;
      const columns = sort === "id" ? [sql`${indexerProviders.id}`] : [sql`${column}`, sql`${indexerProviders.id}`];
      const rows = await readRows(db, indexerProviders, {
        where: and(
          eq(indexerProviders.chainId, chainId),
          model === undefined ? undefined : eq(indexerProviders.model, model),
          asset === undefined ? undefined : eq(indexerProviders.asset, asset),
          serviceType === undefined ? undefined : eq(indexerProviders.serviceType, serviceType),
          active === undefined ? undefined : eq(indexerProviders.active, active),
          owner === undefined ? undefined : eq(indexerProviders.owner, owner),
          minPrice === undefined ? undefined : gte(indexerProviders.pricePerSecond, BigInt(minPrice)),
          maxPrice === undefined ? undefined : lte(indexerProviders.pricePerSecond, BigInt(maxPrice)),
          beyond(columns, keys, order),
        ),
        orderBy: [...(sort === "id" ? [direction(indexerProviders.id)] : [direction(column), direction(indexerProviders.id)])],
        limit: limit + 1,
      });
      const keysOf = (row: ProviderRow) => (sort === "id" ? [row.id] : [sort === "price" ? row.pricePerSecond : row.earned, row.id]);
      const { items, next } = paged(rows, limit, (row) => row, keysOf);
      return { items: await withUptime(items), next, block: head.blockNumber };
    },
    provider: async ({ id }) => {
      const rows = await readRows(db, indexerProviders, { where: and(eq(indexerProviders.chainId, chainId), eq(indexerProviders.id, id)) });
      const [item] = await withUptime(rows);
      if (!item) throw new AppError("NOT_FOUND", `There is no provider ${id}.`, { param: "id" });
      return item;
    },
    providerHistory: async ({ id, limit, cursor }, head) => ({
      ...(await readEvents(db, { chainId, subject: `provider:${id}`, order: "desc", limit, cursor })),
      block: head.blockNumber,
    }),
    providerDays: async ({ id, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits, hexText]);
      const { day, asset } = indexerProviderDays;
      const rows = await readRows(db, indexerProviderDays, {
        where: and(
          eq(indexerProviderDays.chainId, chainId),
          eq(indexerProviderDays.providerId, id),
          beyond([sql`${day}`, sql`${asset}`], keys, "desc"),
        ),
        orderBy: [desc(day), desc(asset)],
        limit: limit + 1,
      });
      return { ...paged(rows, limit, providerDayItem, (row) => [row.day, row.asset]), block: head.blockNumber };
    },
    models: async ({ asset, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [anyText, hexText, digits]);
      const { model, serviceType } = indexerModels;
      // Written out: inside a select of one table the builder leaves out the table's name, which here would mean the inner table.
      const outer = (column: string) => sql.raw(`"indexer_models"."${column}"`);
      const lowest = sql<string | null>`(
        select p.price_per_second::text from ${indexerProviders} p
        where p.chain_id = ${chainId} and p.model = ${outer("model")} and p.active
          and p.asset = ${outer("asset")} and p.service_type = ${outer("service_type")}
        order by p.price_per_second limit 1)`;
      const rows = await db
        .select({
          model,
          asset: indexerModels.asset,
          serviceType,
          providers: indexerModels.events,
          active: indexerModels.active,
          lowestPrice: lowest,
        })
        .from(indexerModels)
        .where(
          and(
            eq(indexerModels.chainId, chainId),
            asset === undefined ? undefined : eq(indexerModels.asset, asset),
            beyond([sql`${model}`, sql`${indexerModels.asset}`, sql`${serviceType}`], keys, "asc"),
          ),
        )
        .orderBy(asc(model), asc(indexerModels.asset), asc(serviceType))
        .limit(limit + 1);
      return {
        ...paged(
          rows,
          limit,
          (row) => row,
          (row) => [row.model, row.asset, row.serviceType],
        ),
        block: head.blockNumber,
      };
    },
    prices: async ({ model, providerId, limit, cursor }, head) => {
      const keys = decodeCursor(cursor, [digits, digits]);
      const rows = await readRows(db, indexerPrices, {
        where: and(
          eq(indexerPrices.chainId, chainId),
          model === undefined ? undefined : eq(indexerPrices.model, model),
          providerId === undefined ? undefined : eq(indexerPrices.providerId, providerId),
          beyond([sql`${indexerPrices.blockNumber}`, sql`${indexerPrices.logIndex}`], keys, "desc"),
        ),
        orderBy: [desc(indexerPrices.blockNumber), desc(indexerPrices.logIndex)],
        limit: limit + 1,
      });
      const item = ({ chainId: _, pricePerSecond, ...row }: (typeof rows)[number]) => ({ ...row, pricePerSecond: String(pricePerSecond) });
      return { ...paged(rows, limit, item, (row) => [row.blockNumber, row.logIndex]), block: head.blockNumber };
    },
    dailyPrices: async ({ model, asset, from, to }, head) => {
      const changes = await readRows(db, indexerPrices, {
        where: and(eq(indexerPrices.chainId, chainId), eq(indexerPrices.model, model), eq(indexerPrices.asset, asset)),
        orderBy: [asc(indexerPrices.blockNumber), asc(indexerPrices.logIndex)],
      });
      const last = Math.min(to ?? dayOf(head.at), dayOf(head.at));
      const items = priceDays(changes, Math.max(from ?? 0, last - 365), last).map((day) => ({
        day: day.day,
        date: dateOf(day.day),
        low: String(day.low),
        median: String(day.median),
        high: String(day.high),
        offers: day.offers,
      }));
      return { items, block: head.blockNumber };
    },
  };
}

function providerItem(row: ProviderRow, probes: readonly (typeof indexerProbes.$inferSelect)[]): ProviderItem {
  const { chainId: _, pricePerSecond, earned, ...rest } = row;
  return { ...rest, pricePerSecond: String(pricePerSecond), earned: String(earned), uptime: uptimeOf(probes) };
}

function uptimeOf(days: readonly (typeof indexerProbes.$inferSelect)[]): ProviderItem["uptime"] {
  const newest = days.toSorted((a, b) => b.day - a.day)[0];
  if (!newest) return null;
  const sum = (key: "probes" | "answered" | "latencyMs") => days.reduce((total, day) => total + day[key], 0);
  const answered = sum("answered");
  const { lastAtMs, lastOk, lastReason } = newest;
  return {
    probes: sum("probes"),
    answered,
    meanLatencyMs: answered ? Math.round(sum("latencyMs") / answered) : null,
    lastAtMs,
    lastOk,
    lastReason,
  };
}

function providerDayItem({ chainId: _, events: __, ...row }: typeof indexerProviderDays.$inferSelect) {
  const { deposited, paid, rewards, refunded, soldMs } = row;
  const money = {
    deposited: String(deposited),
    paid: String(paid),
    rewards: String(rewards),
    refunded: String(refunded),
    soldMs: String(soldMs),
  };
  return { ...row, ...money, date: dateOf(row.day) };
}
