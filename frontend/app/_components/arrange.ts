import type { Offer } from "@clawcompute/lib/chain";
import type { Health } from "@/queries/health.ts";

export interface MarketRow {
  readonly offer: Offer;
  /** Undefined while it is being asked. */
  readonly health: Health | undefined;
}

export interface MarketView {
  readonly search: string;
  readonly serviceType: number | undefined;
  readonly readyOnly: boolean;
  readonly sort: "price" | "latency" | "completions";
}

/** What to show, in which order; equal ones by price, then by id, so that rows do not jump about. */
export function arrange(rows: readonly MarketRow[], { search, serviceType, readyOnly, sort }: MarketView): MarketRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ offer, health }: MarketRow) =>
    (serviceType === undefined || offer.serviceType === serviceType) &&
    (!readyOnly || health?.state === "ok") &&
    words.every((word) => `${offer.model} #${offer.id} ${offer.owner}`.toLowerCase().includes(word));
  const compare = (a: MarketRow, b: MarketRow) =>
    sort === "latency" ? latency(a) - latency(b) : sort === "completions" ? -by(a, b, "completions") : 0;
  return rows.filter(fits).sort((a, b) => compare(a, b) || by(a, b, "pricePerSecond") || a.offer.id - b.offer.id);
}

// Measurements differ a little each time: rows change places only for differences that a person would notice.
const latency = ({ health }: MarketRow) => (health && "latencyMs" in health ? Math.round(health.latencyMs / 25) : Number.MAX_SAFE_INTEGER);

function by(a: MarketRow, b: MarketRow, key: "pricePerSecond" | "completions"): number {
  const difference = a.offer[key] - b.offer[key];
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
