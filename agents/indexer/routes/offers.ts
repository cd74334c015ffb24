import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gte,
  indexerModels,
  indexerPrices,
  indexerProbes,
  indexerProviderDays,
  indexerProviders,
  lte,
  type PgColumn,
  pageItem,
  readPage,
  readRows,
  sql,
} from "@clawcompute/lib/store";
import { anyText, beyond, decodeCursor, digits, hexText } from "../cursor.ts";
import { priceDays } from "../priceDays.ts";
import { readEvents } from "./events.ts";
import { type ApiContext, dateOf, dateOfDay, dayOf, type Handlers, json, pageJson } from "./handler.ts";

type ProviderItem = IndexerAnswer<"provider">;
type ProviderDayItem = IndexerAnswer<"providerDays">["items"][number];
type ModelItem = IndexerAnswer<"models">["items"][number];
type PriceItem = IndexerAnswer<"prices">["items"][number];

const UPTIME_DAYS = 7;

const { chainId, ...offerColumns } = getTableColumns(indexerProviders);
const plainOffer = pageItem<ProviderItem>({ ...offerColumns, uptime: sql`'null'` });

const { day, probes, answered, latencyMs, lastAtMs, lastOk, lastReason } = indexerProbes;
const newest = (column: PgColumn) => sql`(array_agg(${column} order by ${day} desc))[1]`;
const probedOffer = pageItem<ProviderItem>({
  ...offerColumns,
  uptime: sql`(select coalesce(case when count(*) > 0 then json_build_object(
      'probes', sum(${probes})::bigint, 'answered', sum(${answered})::bigint,
      'meanLatencyMs', round(sum(${latencyMs}) / nullif(sum(${answered}), 0)),
      'lastAtMs', ${newest(lastAtMs)}, 'lastOk', ${newest(lastOk)}, 'lastReason', ${newest(lastReason)}) end::text, 'null')
    from ${indexerProbes} where ${indexerProbes.chainId} = ${chainId} and ${indexerProbes.providerId} = ${offerColumns.id}
      and ${day} > floor(extract(epoch from now()) / 86400)::int - ${sql.raw(String(UPTIME_DAYS))})`,
});

const { chainId: _, events: __, ...dayColumns } = getTableColumns(indexerProviderDays);
const providerDayItem = pageItem<ProviderDayItem>({ ...dayColumns, date: dateOfDay(indexerProviderDays.day) });

const { chainId: ___, ...priceColumns } = getTableColumns(indexerPrices);
const priceItem = pageItem<PriceItem>(priceColumns);

const { model, asset, serviceType, events: providers, active } = indexerModels;
const lowestPrice = sql`coalesce((select concat('"', p.price_per_second, '"') from ${indexerProviders} p
  where p.chain_id = ${indexerModels.chainId} and p.model = ${model} and p.active and p.asset = ${asset} and p.service_type = ${serviceType}
  order by p.price_per_second limit 1), 'null')`;
const modelItem = pageItem<ModelItem>({ model, asset, serviceType, providers, active, lowestPrice });

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

  const offerItem = async () => ((await anyProbes()) ? probedOffer : plainOffer);

  return {
    providers: async ({ model, asset, serviceType, active, owner, minPrice, maxPrice, sort, limit, cursor }, head) => {
      const after = decodeCursor(cursor, sort === "id" ? [digits] : [digits, digits]);
      const { id, pricePerSecond, earned } = indexerProviders;
      const keys = { price: [pricePerSecond, id], earned: [earned, id], id: [id] }[sort];
      const order = sort === "earned" ? "desc" : "asc";
      const page = await readPage<ProviderItem>(db, {
        from: sql`${indexerProviders}`,
        where: and(
          eq(indexerProviders.chainId, chainId),
          model === undefined ? undefined : eq(indexerProviders.model, model),
          asset === undefined ? undefined : eq(indexerProviders.asset, asset),
          serviceType === undefined ? undefined : eq(indexerProviders.serviceType, serviceType),
          active === undefined ? undefined : eq(indexerProviders.active, active),
          owner === undefined ? undefined : eq(indexerProviders.owner, owner),
          minPrice === undefined ? undefined : gte(pricePerSecond, BigInt(minPrice)),
          maxPrice === undefined ? undefined : lte(pricePerSecond, BigInt(maxPrice)),
          beyond(
            keys.map((key) => sql`${key}`),
            after,
            order,
          ),
        ),
        orderBy: keys.map(order === "asc" ? asc : desc),
        item: await offerItem(),
        keys,
        limit,
      });
      return pageJson(page, head);
    },
    provider: async ({ id }) => {
      const { items } = await readPage<ProviderItem>(db, {
        from: sql`${indexerProviders}`,
        where: and(eq(indexerProviders.chainId, chainId), eq(indexerProviders.id, id)),
        orderBy: [asc(indexerProviders.id)],
        item: await offerItem(),
        keys: [],
        limit: 1,
      });
      if (items === "") throw new AppError("NOT_FOUND", `There is no provider ${id}.`, { param: "id" });
      return items;
    },
    providerHistory: async ({ id, limit, cursor }, head) =>
      pageJson(await readEvents(db, { chainId, subject: `provider:${id}`, order: "desc", limit, cursor }), head),
    providerDays: async ({ id, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [digits, hexText]);
      const { providerId, day, asset } = indexerProviderDays;
      const page = await readPage<ProviderDayItem>(db, {
        from: sql`${indexerProviderDays}`,
        where: and(eq(indexerProviderDays.chainId, chainId), eq(providerId, id), beyond([sql`${day}`, sql`${asset}`], after, "desc")),
        orderBy: [desc(day), desc(asset)],
        item: providerDayItem,
        keys: [day, asset],
        limit,
      });
      return pageJson(page, head);
    },
    models: async ({ asset, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [anyText, hexText, digits]);
      const m = indexerModels;
      const keys = [m.model, m.asset, m.serviceType];
      const page = await readPage<ModelItem>(db, {
        from: sql`${m}`,
        where: and(
          eq(m.chainId, chainId),
          asset === undefined ? undefined : eq(m.asset, asset),
          beyond(
            keys.map((key) => sql`${key}`),
            after,
            "asc",
          ),
        ),
        orderBy: keys.map((key) => asc(key)),
        item: modelItem,
        keys,
        limit,
      });
      return pageJson(page, head);
    },
    prices: async ({ model, providerId, limit, cursor }, head) => {
      const after = decodeCursor(cursor, [digits, digits]);
      const { blockNumber, logIndex } = indexerPrices;
      const page = await readPage<PriceItem>(db, {
        from: sql`${indexerPrices}`,
        where: and(
          eq(indexerPrices.chainId, chainId),
          model === undefined ? undefined : eq(indexerPrices.model, model),
          providerId === undefined ? undefined : eq(indexerPrices.providerId, providerId),
          beyond([sql`${blockNumber}`, sql`${logIndex}`], after, "desc"),
        ),
        orderBy: [desc(blockNumber), desc(logIndex)],
        item: priceItem,
        keys: [blockNumber, logIndex],
        limit,
      });
      return pageJson(page, head);
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
      return json({ items, block: head.blockNumber });
    },
  };
}
