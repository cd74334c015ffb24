import type { Offer } from "@clawcompute/lib/chain";
import { isLocalEndpoint } from "../agents/provider/isLocalEndpoint.ts";

export interface Cleanup {
  /** One for each model, asset and kind of service. */
  readonly keep: readonly Offer[];
  readonly deactivate: readonly { readonly offer: Offer; readonly reason: "duplicate" | "local endpoint" | "does not answer" }[];
}

/**
 * Of a wallet's active offers the one to keep per model: one that answers before one that does not, a remote endpoint before a
 * local one, the newest before older ones. One always stays, so a cleanup never takes a model off the market.
 */
export function planCleanup(offers: readonly Offer[], answers: ReadonlyMap<number, boolean> = new Map()): Cleanup {
  const groups = new Map<string, Offer[]>();
  for (const offer of offers.filter(({ active }) => active)) {
    const key = `${offer.serviceType} ${offer.asset.toLowerCase()} ${offer.model}`;
    groups.set(key, [...(groups.get(key) ?? []), offer]);
  }
  const dead = (offer: Offer) => answers.get(offer.id) === false;
  const rank = (offer: Offer) => (dead(offer) ? 2 : 0) + (isLocalEndpoint(offer.endpoint) ? 1 : 0);
  const keep: Offer[] = [];
  const deactivate: Cleanup["deactivate"][number][] = [];
  for (const group of groups.values()) {
    const [best, ...rest] = group.sort((a, b) => rank(a) - rank(b) || b.id - a.id);
    if (best) keep.push(best);
    for (const offer of rest)
      deactivate.push({
        offer,
        reason: dead(offer) ? "does not answer" : isLocalEndpoint(offer.endpoint) ? "local endpoint" : "duplicate",
      });
  }
  const byId = (a: Offer, b: Offer) => a.id - b.id;
  return { keep: keep.sort(byId), deactivate: deactivate.sort((a, b) => byId(a.offer, b.offer)) };
}
