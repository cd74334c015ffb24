import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { ProviderClient } from "./providerClient.ts";

/** Candidates of one request. Dead offers cost their owners next to nothing, so many of them may be cheaper than the first that lives. */
export const MAX_CANDIDATES = 200;
const LEAST_AT_ONCE = 3;
const MOST_AT_ONCE = 16;

export interface Look {
  readonly busy: boolean;
}

/**
 * Looks at each candidate once, and at those that follow it at the same time: the more were not there, the more. Throws what
 * the look at `offer` throws.
 */
export function lookAhead(look: (offer: Offer) => Promise<Look>): (offer: Offer, following: readonly Offer[]) => Promise<Look> {
  const looks = new Map<number, Promise<Look>>();
  let missed = 0;
  const begin = (offer: Offer): Promise<Look> => {
    const known = looks.get(offer.id);
    if (known) return known;
    const asked = (async () => look(offer))();
    asked.catch(() => {
      missed += 1;
    });
    looks.set(offer.id, asked);
    return asked;
  };
  return (offer, following) => {
    const atOnce = Math.min(MOST_AT_ONCE, LEAST_AT_ONCE + missed);
    for (const next of following.slice(0, atOnce - 1)) begin(next);
    return begin(offer);
  };
}

/** Asks a provider, before any money moves, whether it is there and serves this offer on this chain. Throws what is wrong. */
export async function preflight(client: ProviderClient, offer: Offer, chainId: number, signal: AbortSignal): Promise<Look> {
  const health = await client.health(signal);
  const facts = { providerId: offer.id };
  if (health.chainId !== chainId) {
    throw new AppError("WRONG_CHAIN", `Provider ${offer.id} works on chain ${health.chainId}, not ${chainId}.`, {
      facts: { ...facts, chainId: health.chainId },
      hint: "Choose another provider.",
    });
  }
  if (health.status === "draining") throw new AppError("DRAINING", `Provider ${offer.id} is stopping.`, { facts });
  const model = health.models.find(({ providerId }) => providerId === offer.id);
  if (!model) throw new AppError("PROVIDER_FAILED", `The endpoint of provider ${offer.id} does not serve this offer.`, { facts });
  if (BigInt(model.pricePerSecond) > offer.pricePerSecond) {
    throw new AppError("RATE_TOO_LOW", `Provider ${offer.id} asks for more than its offer says.`, {
      facts,
      hint: "Choose another provider.",
    });
  }
  return { busy: model.free <= 0 };
}
