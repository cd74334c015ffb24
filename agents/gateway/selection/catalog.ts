import { type Chain, cheapestFirst, listActiveOffers, type MarketBounds, type Offer, readMarket, readOffer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { type Address, isAddressEqual, zeroAddress } from "viem";

/** What must be in a picture of the market if it is on offer. */
export interface Wanted {
  readonly models: readonly string[];
  readonly providers: readonly number[];
}

/** The market as it was read last. */
export interface Catalog {
  /**
   * Active offers in one asset, cheapest first: all of a small market, of a large one the cheapest of its models and what is wanted by
   * name. Older ones than `withinMs` are read again before it resolves. Throws what reading throws.
   */
  offers(withinMs?: number, wanted?: Wanted): Promise<readonly Offer[]>;
}

export interface CatalogOptions {
  readonly chain: Chain;
  /** Default: the native coin. */
  readonly asset?: Address;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Older pictures are renewed beside the request that noticed. */
  readonly renewAfterMs: number;
  /** Older ones are not used any more. */
  readonly staleAfterMs: number;
  /** What counts as large. */
  readonly bounds?: MarketBounds;
}

/** Looked up by name, and kept. */
const MOST_NAMES = 200;
/** The registry takes no longer names, in bytes. */
const LONGEST_MODEL = 64;
/** Of a model that is asked for by name. */
const PER_NAME = 50;

export function createCatalog(options: CatalogOptions): Catalog {
  const { chain, asset = zeroAddress, staleAfterMs, bounds } = options;
  const market = remembered(() => readMarket(chain, asset, bounds), options);
  const named = new Map<string, (withinMs: number) => Promise<readonly Offer[]>>();

  function find(name: string, read: () => Promise<readonly Offer[]>, withinMs: number): Promise<readonly Offer[]> {
    const known = named.get(name) ?? remembered(read, options);
    named.delete(name);
    named.set(name, known);
    if (named.size > MOST_NAMES) named.delete(named.keys().next().value as string);
    return known(withinMs);
  }

  async function readOne(id: number): Promise<readonly Offer[]> {
    try {
      const offer = await readOffer(chain, id);
      return offer.active && isAddressEqual(offer.asset, asset) ? [offer] : [];
    } catch (thrown) {
      if (AppError.from(thrown).code === "COMPUTE_REGISTRY_UNKNOWN_PROVIDER") return [];
      throw thrown;
    }
  }

  return {
    offers: async (withinMs = staleAfterMs, { models, providers } = { models: [], providers: [] }) => {
      const { offers, whole } = await market(withinMs);
      if (whole) return offers;
      const seen = { models: new Set(offers.map(({ model }) => model)), ids: new Set(offers.map(({ id }) => id)) };
      const found = await Promise.all([
        ...models
          .filter((model) => !seen.models.has(model) && Buffer.byteLength(model) <= LONGEST_MODEL)
          .map((model) => find(`model ${model}`, () => listActiveOffers(chain, { model, asset, limit: PER_NAME }), withinMs)),
        ...providers.filter((id) => !seen.ids.has(id)).map((id) => find(`provider ${id}`, () => readOne(id), withinMs)),
      ]);
      if (found.every((more) => more.length === 0)) return offers;
      return [...new Map([...offers, ...found.flat()].map((offer) => [offer.id, offer])).values()].sort(cheapestFirst);
    },
  };
}

/** What was read last, unless it is older than asked for; everybody who waits for it waits for one reading. */
function remembered<T>(read: () => Promise<T>, { clock, logger, renewAfterMs }: CatalogOptions): (withinMs: number) => Promise<T> {
  let known: { value: T; atMs: number } | undefined;
  let reading: Promise<T> | undefined;
  const again = (): Promise<T> => {
    reading ??= (async () => {
      try {
        const atMs = clock.now();
        const value = await read();
        known = { value, atMs };
        return value;
      } finally {
        reading = undefined;
      }
    })();
    return reading;
  };
  return async (withinMs) => {
    const age = known ? clock.now() - known.atMs : Number.POSITIVE_INFINITY;
    if (!known || age > withinMs) return again();
    if (age > renewAfterMs) again().catch((err) => logger.warn({ err }, "the market could not be read again"));
    return known.value;
  };
}
