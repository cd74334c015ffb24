import type { Chain } from "@clawcompute/lib/chain";
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { journalOf } from "./journal.ts";
import { type Day, dayOf, ledgerOnce } from "./ledger.ts";
import { dayFromWire } from "./network.ts";
import type { Uptime } from "./offers.ts";
import { fromEither, refresh, type Source } from "./source.tsx";

export interface PriceChange {
  /** Unix seconds. */
  readonly at: number;
  readonly pricePerSecond: bigint;
  readonly active: boolean;
}

export interface ProviderHistory {
  /** The chain's day. */
  readonly today: number;
  /** Newest first; only days on which something happened. */
  readonly days: readonly Day[];
  /** Newest first. */
  readonly prices: readonly PriceChange[];
  readonly uptime: Uptime | undefined;
}

const DAYS = 90;
const PRICES = 100;

/** What offers sold by day, and how one's price went. */
export const providerHistoryQuery = (source: Source, id: number) =>
  queryOptions({
    queryKey: ["provider history", source.chain.network.chainId, id],
    queryFn: ({ client }) =>
      fromEither(
        source,
        async (indexer): Promise<ProviderHistory> => {
          const [{ at }, { uptime }, days, prices] = await Promise.all([
            indexer.get("health", {}),
            indexer.get("provider", { id }),
            indexer.get("providerDays", { id, limit: DAYS }),
            indexer.get("prices", { providerId: id, limit: PRICES }),
          ]);
          return {
            today: dayOf(at),
            days: days.items.map(({ providerId: _, ...day }) => dayFromWire(day)),
            prices: prices.items.map(({ at, pricePerSecond, active }) => ({ at, pricePerSecond: BigInt(pricePerSecond), active })),
            uptime: uptime ?? undefined,
          };
        },
        () => historyFromChain(client, source.chain, id),
      ),
    refetchInterval: refresh(source.chain) * 2,
  });

async function historyFromChain(client: QueryClient, chain: Chain, id: number): Promise<ProviderHistory> {
  const { events, at } = await journalOf(client, chain);
  const own = events.filter(({ contract, name, args }) => contract === "registry" && priced.has(name) && args.id === String(id));
  const prices = own.map(({ at, args }) => ({ at, pricePerSecond: BigInt(args.pricePerSecond as string), active: args.active !== false }));
  return {
    today: dayOf(at),
    days: (ledgerOnce(events).providerDays.get(id) ?? []).slice(0, DAYS),
    prices: prices.reverse().slice(0, PRICES),
    uptime: undefined,
  };
}

const priced = new Set(["ProviderRegistered", "ProviderUpdated"]);
