import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { findOffers, type Wanted } from "../gateway/discovery.ts";
import { lookAhead, MAX_CANDIDATES, preflight } from "../gateway/preflight.ts";
import type { ConversationOptions } from "./conversationTerms.ts";

/** Whom one question may go to, best first. */
export interface Candidates {
  /** The next one that is there; busy ones come last. Throws NO_PROVIDER and the other refusals of the search. */
  next(): Promise<Offer | undefined>;
  /** Puts one back to the front. */
  again(offer: Offer): void;
}

/** `giveUp` is told who was not there. The chain is asked with the first `next`. */
export function createCandidates(
  { chain, clientOf }: Pick<ConversationOptions, "chain" | "clientOf">,
  wanted: Wanted,
  failedBefore: ReadonlySet<number>,
  { signal, giveUp }: { readonly signal: AbortSignal; readonly giveUp: (offer: Offer, error: AppError) => void },
): Candidates {
  let waiting: Offer[] | undefined;
  const foundBusy = new Set<Offer>();
  const look = lookAhead((offer) => preflight(clientOf(offer), offer, chain.network.chainId, signal));
  return {
    again: (offer) => void waiting?.unshift(offer),
    next: async () => {
      waiting ??= (await findOffers(chain, wanted))
        .sort((a, b) => Number(failedBefore.has(a.id)) - Number(failedBefore.has(b.id)))
        .slice(0, MAX_CANDIDATES);
      for (let offer = waiting.shift(); offer && !signal.aborted; offer = waiting.shift()) {
        try {
          const { busy } = await look(offer, waiting);
          if (!busy || foundBusy.has(offer) || waiting.length === 0) return offer;
          foundBusy.add(offer);
          waiting.push(offer);
        } catch (thrown) {
          if (!signal.aborted) giveUp(offer, AppError.from(thrown));
        }
      }
      return undefined;
    },
  };
}
