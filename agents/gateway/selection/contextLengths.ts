import type { Offer } from "@clawcompute/lib/chain";
import type { Clock } from "@clawcompute/lib/node";
import type { ProviderClient } from "../providerClient.ts";

/** How long a prompt each offer reads, as its provider announces it. Asked once in a while, and never waited for by an answer. */
export interface ContextLengths {
  /** Tokens; undefined while nothing is announced. */
  of(providerId: number): number | undefined;
  /** Asks those that were not asked lately. Resolves when all have answered or `withinMs` is over. */
  look(offers: readonly Offer[], withinMs: number): Promise<void>;
}

const ASK_AGAIN_MS = 600_000;
const MOST_ENDPOINTS = 32;

export function createContextLengths(clientOf: (offer: Offer) => ProviderClient, clock: Clock): ContextLengths {
  const tokens = new Map<number, number>();
  const askedAtMs = new Map<string, number>();

  async function ask(offer: Offer): Promise<void> {
    for (const { providerId, contextTokens } of await clientOf(offer).announced()) {
      // What one endpoint says of another one's offers is nobody's business.
      if (providerId === offer.id && contextTokens) tokens.set(providerId, contextTokens);
    }
  }

  return {
    of: (id) => tokens.get(id),
    look: async (offers, withinMs) => {
      const due = offers.filter(({ id, endpoint }) => clock.now() - (askedAtMs.get(`${id} ${endpoint}`) ?? 0) > ASK_AGAIN_MS);
      const work = due.slice(0, MOST_ENDPOINTS).map((offer) => {
        askedAtMs.set(`${offer.id} ${offer.endpoint}`, clock.now());
        return (async () => ask(offer))().catch(() => {});
      });
      if (work.length === 0) return;
      const late = new AbortController();
      await Promise.race([Promise.all(work), clock.sleep(withinMs, late.signal).catch(() => {})]);
      late.abort();
    },
  };
}

/** Bytes of a token in most languages. */
const BYTES_PER_TOKEN = 4;

/** About as many tokens as a model makes of a request's words; pictures and sound are not counted. */
export function estimateTokens(value: unknown): number {
  if (typeof value === "string") return /^data:/i.test(value) ? 0 : Math.ceil(Buffer.byteLength(value) / BYTES_PER_TOKEN);
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + estimateTokens(part), 0);
}
