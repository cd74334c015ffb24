import { MARKET_OPENS, modelOf, ownerAddress, PAYERS, PROVIDERS, payerAddress, STREAMS_A_BLOCK } from "./syntheticEvents.ts";

/**
 * A page of each list. The turn changes what is asked for, so that a page is hardly ever asked for twice; where a list has few pages
 * (models, keepers, days, what accrued) they come again sooner.
 */
export const lists: Record<string, (turn: number, streams: number) => string> = {
  "providers, cheapest": (turn) => `/v1/providers?active=true&cursor=${cursor(1_000 + (turn % 490), scattered(turn, PROVIDERS))}`,
  "providers of a model": (turn) => `/v1/providers?model=${modelOf(turn)}&minPrice=${1_000 + (turn % 400)}`,
  "providers of an owner": (turn) => `/v1/providers?owner=${ownerAddress(scattered(turn, PROVIDERS))}`,
  "provider's days": (turn) => `/v1/providers/${scattered(turn, PROVIDERS)}/days`,
  "provider's history": (turn) => `/v1/providers/${scattered(turn, PROVIDERS)}/history`,
  "streams, newest": (turn, streams) => `/v1/streams?cursor=${cursor(scattered(turn, streams))}`,
  "streams of a payer": (turn) => `/v1/streams?payer=${payerAddress(scattered(turn, PAYERS))}`,
  "streams of a payee, open": (turn) => `/v1/streams?payee=${ownerAddress(scattered(turn, PROVIDERS))}&status=open`,
  "streams of a provider": (turn) => `/v1/streams?providerId=${scattered(turn, PROVIDERS)}`,
  "streams by what accrued": (turn) => `/v1/streams?sort=accrued&limit=${50 + (turn % 50)}`,
  "streams, ended": (turn, streams) => `/v1/streams?status=ended&cursor=${cursor(0, scattered(turn, streams))}`,
  "stream's events": (turn, streams) => `/v1/streams/${scattered(turn, streams)}/events`,
  channels: (turn) => `/v1/channels?payer=${payerAddress(scattered(turn, PAYERS))}`,
  "settlements, newest": (turn, streams) => `/v1/settlements?kind=settled&cursor=${place(turn, streams)}`,
  "settlements of a payer": (turn) => `/v1/settlements?payer=${payerAddress(scattered(turn, PAYERS))}`,
  "credits of an account": (turn) => `/v1/credits?account=${ownerAddress(scattered(turn, PROVIDERS))}`,
  keepers: (turn) => `/v1/keepers?limit=${1 + (turn % 500)}`,
  "keepers' actions": (turn, streams) => `/v1/keeper-actions?cursor=${place(turn, streams)}`,
  models: (turn) => `/v1/models?limit=${50 + (turn % 50)}`,
  "price changes": (turn, streams) => `/v1/prices?model=${modelOf(turn)}&cursor=${place(turn, streams)}`,
  "daily prices": (turn) => `/v1/prices/daily?model=${modelOf(turn)}`,
  "activity by hour": (turn) => `/v1/activity?limit=${50 + (turn % 50)}`,
  "keepers' days": (turn) => `/v1/keepers/daily?limit=${1 + (turn % 500)}`,
  "provider's uptime": (turn) => `/v1/providers/${scattered(turn, PROVIDERS)}/uptime`,
  "events, newest": (turn, streams) => `/v1/events?cursor=${place(turn, streams)}`,
  "days of the network": (turn) => `/v1/daily?limit=${50 + (turn % 50)}`,
  stats: () => "/v1/stats",
};
const scattered = (turn: number, among: number) => 1 + ((turn * 7_919) % among);
const cursor = (...keys: number[]) => Buffer.from(JSON.stringify(keys.map(String))).toString("base64url");
/** Somewhere in the chain. */
const place = (turn: number, streams: number) => cursor(MARKET_OPENS + scattered(turn, Math.ceil(streams / STREAMS_A_BLOCK)), turn % 60);

/** Those whose tables grow with the events; read at every size. */
export const growing: readonly string[] = [
  "streams, newest",
  "streams of a payer",
  "streams by what accrued",
  "stream's events",
  "settlements of a payer",
  "events, newest",
  "stats",
];

const names = Object.keys(lists);
const POPULAR = 5;
/** Turns from here on are asked by nobody else. */
const ALONE = 50_000_000;

/** What a crowd asks: any list, every second time one of its few pages that everybody looks at, else one that nobody else does. */
export function crowdAsks(turn: number, streams: number): { list: string; path: string } {
  const list = names[(turn * 31) % names.length] as string;
  const round = Math.floor(turn / names.length);
  const which = round % 2 === 0 ? round % POPULAR : ALONE + turn;
  return { list, path: (lists[list] as (typeof lists)[string])(which, streams) };
}
