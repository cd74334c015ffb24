import { z } from "zod";
import {
  channel,
  credit,
  dayTotals,
  event,
  filters,
  health,
  interval,
  keeper,
  keeperAction,
  keeperDay,
  keys,
  liveMessage,
  modelOffers,
  pageOf,
  priceChange,
  priceDay,
  provider,
  providerDay,
  settlement,
  stats,
  stream,
  uptimeDay,
} from "./wire.ts";

export interface IndexerRoute {
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly response: z.ZodType;
  /** "json" carries an ETag; "events" is a stream of server-sent events, each a `response`; "plain" is never cached. */
  readonly kind: "json" | "events" | "plain";
}

const none = z.object({});

/** Every route of the indexer; all are GET. Server, client and the OpenAPI document are derived from these rows. */
export const indexerRoutes = {
  providers: { path: "/v1/providers", summary: "Offers", params: none, query: filters.providers, response: pageOf(provider), kind: "json" },
  provider: { path: "/v1/providers/:id", summary: "One offer", params: keys.provider, query: none, response: provider, kind: "json" },
  providerHistory: {
    path: "/v1/providers/:id/history",
    summary: "What its owner did to an offer, newest first",
    params: keys.provider,
    query: filters.page,
    response: pageOf(event),
    kind: "json",
  },
  providerDays: {
    path: "/v1/providers/:id/days",
    summary: "What an offer sold, by day and asset, newest first",
    params: keys.provider,
    query: filters.page,
    response: pageOf(providerDay),
    kind: "json",
  },
  providerUptime: {
    path: "/v1/providers/:id/uptime",
    summary: "How an offer's endpoint answered probes, by day, newest first",
    params: keys.provider,
    query: filters.page,
    response: pageOf(uptimeDay),
    kind: "json",
  },
  streams: { path: "/v1/streams", summary: "Streams", params: none, query: filters.streams, response: pageOf(stream), kind: "json" },
  stream: {
    path: "/v1/streams/:id",
    summary: "One stream with its first hundred events, oldest first",
    params: keys.stream,
    query: none,
    response: stream.extend({ events: z.array(event) }),
    kind: "json",
  },
  streamEvents: {
    path: "/v1/streams/:id/events",
    summary: "The events of a stream, oldest first",
    params: keys.stream,
    query: filters.page,
    response: pageOf(event),
    kind: "json",
  },
  channels: {
    path: "/v1/channels",
    summary: "Payment channels, newest first",
    params: none,
    query: filters.channels,
    response: pageOf(channel),
    kind: "json",
  },
  channel: {
    path: "/v1/channels/:id",
    summary: "One channel with its first hundred events, oldest first",
    params: keys.channel,
    query: none,
    response: channel.extend({ events: z.array(event) }),
    kind: "json",
  },
  settlements: {
    path: "/v1/settlements",
    summary: "How streams ended and what channels paid, newest first",
    params: none,
    query: filters.settlements,
    response: pageOf(settlement),
    kind: "json",
  },
  credits: {
    path: "/v1/credits",
    summary: "Money set aside, to be collected",
    params: none,
    query: filters.credits,
    response: pageOf(credit),
    kind: "json",
  },
  keepers: {
    path: "/v1/keepers",
    summary: "The keepers' market",
    params: none,
    query: filters.keepers,
    response: pageOf(keeper),
    kind: "json",
  },
  keeperDays: {
    path: "/v1/keepers/daily",
    summary: "The keepers' market by day, or one keeper's part of it, newest first",
    params: none,
    query: filters.keeperDays,
    response: pageOf(keeperDay),
    kind: "json",
  },
  keeperActions: {
    path: "/v1/keeper-actions",
    summary: "Keepers' transactions, newest first",
    params: none,
    query: filters.keeperActions,
    response: pageOf(keeperAction),
    kind: "json",
  },
  models: {
    path: "/v1/models",
    summary: "Models on offer, by asset",
    params: none,
    query: filters.models,
    response: pageOf(modelOffers),
    kind: "json",
  },
  prices: {
    path: "/v1/prices",
    summary: "Changes of price, newest first",
    params: none,
    query: filters.prices,
    response: pageOf(priceChange),
    kind: "json",
  },
  dailyPrices: {
    path: "/v1/prices/daily",
    summary: "The price of a model by day, oldest first",
    params: none,
    query: filters.dailyPrices,
    response: z.object({ items: z.array(priceDay), block: z.int() }),
    kind: "json",
  },
  daily: {
    path: "/v1/daily",
    summary: "Sums of the network by day and asset, newest first",
    params: none,
    query: filters.daily,
    response: pageOf(dayTotals),
    kind: "json",
  },
  activity: {
    path: "/v1/activity",
    summary: "Sums of the network by minute or hour and asset, newest first; those in which nothing happened are left out",
    params: none,
    query: filters.activity,
    response: pageOf(interval),
    kind: "json",
  },
  events: {
    path: "/v1/events",
    summary: "Everything that happened, newest first",
    params: none,
    query: filters.page,
    response: pageOf(event),
    kind: "json",
  },
  stats: { path: "/v1/stats", summary: "Sums since the beginning", params: none, query: none, response: stats, kind: "json" },
  live: {
    path: "/v1/live",
    summary: "New events as they are indexed; goes on from Last-Event-ID",
    params: none,
    query: none,
    response: liveMessage,
    kind: "events",
  },
  health: {
    path: "/health",
    summary: "Whether it works and how far behind it is",
    params: none,
    query: none,
    response: health,
    kind: "plain",
  },
  ready: {
    path: "/ready",
    summary: "200 once it has caught up and its store answers, else 503",
    params: none,
    query: none,
    response: z.object({ ready: z.literal(true) }),
    kind: "plain",
  },
} as const satisfies Record<string, IndexerRoute>;

export type IndexerRouteName = keyof typeof indexerRoutes;
export type IndexerParams<N extends IndexerRouteName> = z.output<(typeof indexerRoutes)[N]["params"]>;
export type IndexerQuery<N extends IndexerRouteName> = z.output<(typeof indexerRoutes)[N]["query"]>;
/** What a caller gives: defaults may be left out, ids may be numbers. */
export type IndexerInput<N extends IndexerRouteName> = InputOf<(typeof indexerRoutes)[N]["params"]> &
  InputOf<(typeof indexerRoutes)[N]["query"]>;
type InputOf<S extends z.ZodObject> = keyof S["shape"] extends never ? unknown : z.input<S>;
export type IndexerAnswer<N extends IndexerRouteName> = z.output<(typeof indexerRoutes)[N]["response"]>;
