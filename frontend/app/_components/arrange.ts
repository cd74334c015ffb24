import { parseAmount } from "@clawcompute/lib/money";
import { zeroAddress } from "viem";
import { untrusted } from "@/components/chain/untrusted.ts";
import type { Health } from "@/queries/health.ts";
import type { MarketOffer } from "@/queries/offers.ts";
import type { MarketView } from "./marketView.ts";

/** What is known about offers' endpoints, by offer; absent while they are being asked, or were not. */
export type HealthOf = (offer: MarketOffer) => Health | undefined;

/** What to show, in which order; equal ones by price, then by id, so that rows do not jump about. */
export function arrange(offers: readonly MarketOffer[], view: MarketView, healthOf: HealthOf): MarketOffer[] {
  const shown = withTerms(offers, view).filter((offer) => !view.readyOnly || isReady(offer, healthOf(offer)));
  const { sort } = view;
  if (sort === "price") return shown;
  const compare = (a: MarketOffer, b: MarketOffer) =>
    sort === "latency"
      ? latency(a, healthOf(a)) - latency(b, healthOf(b))
      : sort === "newest"
        ? b.registeredAt - a.registeredAt
        : Number(b.completions - a.completions);
  return shown.sort((a, b) => compare(a, b) || byPrice(a, b));
}

/** The same without what has to be asked at the endpoints, cheapest first. */
export function withTerms(offers: readonly MarketOffer[], { search, serviceType, model, mostPerMinute }: MarketView): MarketOffer[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const most = ceiling(mostPerMinute);
  const fits = (offer: MarketOffer) =>
    (serviceType === undefined || offer.serviceType === serviceType) &&
    (model === undefined || offer.model === model) &&
    (most === undefined || (offer.asset === zeroAddress && offer.pricePerSecond * 60n <= most)) &&
    (words.length === 0 || matches(offer, words));
  return offers.filter(fits).sort(byPrice);
}

function matches({ model, id, owner }: MarketOffer, words: readonly string[]): boolean {
  const text = `${untrusted(model)} #${id} ${owner}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function ceiling(text: string): bigint | undefined {
  try {
    return text === "" ? undefined : parseAmount(text);
  } catch {
    return undefined;
  }
}

/** What this page saw itself counts; an indexer's last probe where it did not ask. */
const isReady = ({ uptime }: MarketOffer, health: Health | undefined) => (health ? health.state === "ok" : uptime?.lastOk === true);

// Measurements differ a little each time: rows change places only for differences that a person would notice.
function latency({ uptime }: MarketOffer, health: Health | undefined): number {
  const ms = health ? ("latencyMs" in health ? health.latencyMs : undefined) : uptime?.meanLatencyMs;
  return ms === undefined || ms === null ? Number.MAX_SAFE_INTEGER : Math.round(ms / 25);
}

/** Prices in tokens cannot be compared with those in the coin: they come after. */
function byPrice(a: MarketOffer, b: MarketOffer): number {
  const [left, right] = [a.asset === zeroAddress, b.asset === zeroAddress];
  if (left !== right) return left ? -1 : 1;
  if (a.asset !== b.asset) return a.asset < b.asset ? -1 : 1;
  const difference = a.pricePerSecond - b.pricePerSecond;
  return difference < 0n ? -1 : difference > 0n ? 1 : a.id - b.id;
}
