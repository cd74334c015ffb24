import { modelOf, ownerAddress, PAYERS, PROVIDERS, payerAddress } from "./syntheticEvents.ts";

/** Parameters change from request to request, so that hardly any page is asked for twice. */
export const lists: Record<string, (turn: number, streams: number) => string> = {
  "providers, cheapest": (turn) => `/v1/providers?active=true&minPrice=${1_000 + (turn % 490)}`,
  "providers of a model": (turn) => `/v1/providers?model=${modelOf(turn)}&minPrice=${1_000 + (turn % 400)}`,
  "providers of an owner": (turn) => `/v1/providers?owner=${ownerAddress(1 + (turn % PROVIDERS))}`,
  "provider's days": (turn) => `/v1/providers/${1 + (turn % PROVIDERS)}/days`,
  "provider's history": (turn) => `/v1/providers/${1 + (turn % PROVIDERS)}/history`,
  "streams, newest": (turn, streams) => `/v1/streams?cursor=${cursor(1 + ((turn * 7_919) % streams))}`,
  "streams of a payer": (turn) => `/v1/streams?payer=${payerAddress((turn * 31) % PAYERS)}`,
  "streams of a payee, open": (turn) => `/v1/streams?payee=${ownerAddress(1 + ((turn * 31) % PROVIDERS))}&status=open`,
  "streams of a provider": (turn) => `/v1/streams?providerId=${1 + ((turn * 31) % PROVIDERS)}`,
  "streams by what accrued": (turn) => `/v1/streams?sort=accrued&limit=${50 + (turn % 50)}`,
  "streams, ended": (turn) => `/v1/streams?status=ended&limit=${50 + (turn % 50)}`,
  "stream's events": (turn, streams) => `/v1/streams/${1 + ((turn * 7_919) % streams)}/events`,
  channels: (turn) => `/v1/channels?payer=${payerAddress((turn * 31) % PAYERS)}`,
  "settlements, newest": (turn) => `/v1/settlements?limit=${50 + (turn % 50)}&kind=settled`,
  "settlements of a payer": (turn) => `/v1/settlements?payer=${payerAddress((turn * 31) % PAYERS)}`,
  "credits of an account": (turn) => `/v1/credits?account=${ownerAddress(1 + ((turn * 31) % PROVIDERS))}`,
  keepers: (turn) => `/v1/keepers?limit=${1 + (turn % 500)}`,
  "keepers' actions": (turn) => `/v1/keeper-actions?limit=${50 + (turn % 50)}`,
  models: (turn) => `/v1/models?limit=${50 + (turn % 50)}`,
  "price changes": (turn) => `/v1/prices?model=${modelOf(turn)}&limit=${50 + (turn % 50)}`,
  "daily prices": (turn) => `/v1/prices/daily?model=${modelOf(turn)}`,
  "activity by hour": (turn) => `/v1/activity?limit=${50 + (turn % 50)}`,
  "keepers' days": (turn) => `/v1/keepers/daily?limit=${1 + (turn % 500)}`,
  "provider's uptime": (turn) => `/v1/providers/${1 + (turn % PROVIDERS)}/uptime`,
  "events, newest": (turn) => `/v1/events?limit=${50 + (turn % 50)}`,
  "days of the network": (turn) => `/v1/daily?limit=${50 + (turn % 50)}`,
  stats: () => "/v1/stats",
};
const cursor = (id: number) => Buffer.from(JSON.stringify([String(id)])).toString("base64url");

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
