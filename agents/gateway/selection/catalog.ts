import { type Chain, listActiveOffers, type Offer } from "@clawcompute/lib/chain";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { type Address, zeroAddress } from "viem";

/** The market as it was read last. */
export interface Catalog {
  /** Active offers in one asset, cheapest first. Older ones than `withinMs` are read again before it resolves. Throws what reading throws. */
  offers(withinMs?: number): Promise<readonly Offer[]>;
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
}

export function createCatalog({ chain, asset = zeroAddress, clock, logger, renewAfterMs, staleAfterMs }: CatalogOptions): Catalog {
  let known: { offers: readonly Offer[]; atMs: number } | undefined;
  let reading: Promise<readonly Offer[]> | undefined;

  const read = (): Promise<readonly Offer[]> => {
    reading ??= (async () => {
      try {
        const atMs = clock.now();
        const offers = await listActiveOffers(chain, { asset });
        known = { offers, atMs };
        return offers;
      } finally {
        reading = undefined;
      }
    })();
    return reading;
  };

  return {
    offers: async (withinMs = staleAfterMs) => {
      const age = known ? clock.now() - known.atMs : Number.POSITIVE_INFINITY;
      if (!known || age > withinMs) return read();
      if (age > renewAfterMs) read().catch((err) => logger.warn({ err }, "the market could not be read again"));
      return known.offers;
    },
  };
}
