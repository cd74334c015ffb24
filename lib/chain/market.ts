import type { Address } from "viem";
import { computeRegistryAbi } from "../abi/index.ts";
import type { Chain } from "./connect.ts";
import { cheapestFirst, listActiveOffers, type Offer, readOffers } from "./offers.ts";
import { reading } from "./reading.ts";

export interface Market {
  /** Active offers in one asset, cheapest first. */
  readonly offers: readonly Offer[];
  /** Whether these are all. */
  readonly whole: boolean;
}

export interface MarketBounds {
  /** Up to so many active offers, of all assets together, are all read. */
  readonly whole: number;
  /** So many places of the registry are looked at for the names of models… */
  readonly samples: number;
  readonly perSample: number;
  /** …and of so many models, those that are named most, the cheapest offers are read. */
  readonly models: number;
  readonly perModel: number;
}

export const marketBounds: MarketBounds = { whole: 3_000, samples: 10, perSample: 100, models: 100, perModel: 50 };
const modelsAtOnce = 20;

/**
 * A picture of the market at a price that does not grow with it: every offer while there are few, else the cheapest ones of the models
 * that are found at places spread over the registry. A model that hardly anybody offers may be missing from it; by its name it is found
 * with `listActiveOffers`.
 */
export async function readMarket(chain: Chain, asset: Address, bounds: MarketBounds = marketBounds): Promise<Market> {
  const registry = { address: chain.network.contracts.registry, abi: computeRegistryAbi } as const;
  const blockNumber = await reading(() => chain.client.getBlockNumber());
  const [, active] = await reading(() => chain.client.readContract({ ...registry, functionName: "getRegistryStats", blockNumber }));
  if (active <= BigInt(bounds.whole)) return { offers: await listActiveOffers(chain, { asset }), whole: true };
  const places = Array.from({ length: bounds.samples }, (_, index) => (active * BigInt(index)) / BigInt(bounds.samples));
  const ids = await Promise.all(
    places.map((offset) =>
      reading(() =>
        chain.client.readContract({
          ...registry,
          functionName: "getActiveProviderIds",
          args: [offset, BigInt(bounds.perSample)],
          blockNumber,
        }),
      ),
    ),
  );
  const named = new Map<string, number>();
  for (const { model } of await readOffers(chain, ids.flat(), blockNumber)) named.set(model, (named.get(model) ?? 0) + 1);
  const models = [...named].sort(([, a], [, b]) => b - a).slice(0, bounds.models);
  const offers: Offer[] = [];
  for (let from = 0; from < models.length; from += modelsAtOnce) {
    const some = models.slice(from, from + modelsAtOnce);
    const read = await Promise.all(some.map(([model]) => listActiveOffers(chain, { model, asset, limit: bounds.perModel })));
    offers.push(...read.flat());
  }
  return { offers: offers.sort(cheapestFirst), whole: false };
}
