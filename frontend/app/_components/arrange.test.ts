import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import type { Health } from "@/queries/health.ts";
import type { MarketOffer } from "@/queries/offers.ts";
import { arrange } from "./arrange.ts";
import { addressOf, viewFrom, wholeMarket } from "./marketView.ts";

const token = "0x9900000000000000000000000000000000000099";
const offer = (id: number, more: Partial<MarketOffer> = {}) =>
  ({
    id,
    model: `m${id}`,
    owner: `0x${String(id).padStart(40, "0")}`,
    asset: zeroAddress,
    pricePerSecond: BigInt(id),
    serviceType: 0,
    registeredAt: id,
    completions: BigInt(id),
    ...more,
  }) as MarketOffer;
const ids = (offers: readonly MarketOffer[]) => offers.map(({ id }) => id);
const unasked = () => undefined;

describe("arrange", () => {
  it("behavior: cheapest first, prices in tokens after those in the coin, equal ones by age", () => {
    const offers = [offer(3), offer(1, { asset: token }), offer(2, { pricePerSecond: 3n })];
    expect(ids(arrange(offers, wholeMarket, unasked))).toEqual([2, 3, 1]);
  });

  it("behavior: filters by words, service, model and the most that a minute may cost", () => {
    const offers = [offer(1, { model: "a\u202eb" }), offer(2, { serviceType: 1 }), offer(3), offer(4, { asset: token })];
    const shown = (view: Partial<typeof wholeMarket>) => ids(arrange(offers, { ...wholeMarket, ...view }, unasked));
    expect(shown({ search: "AB #1" })).toEqual([1]);
    expect(shown({ serviceType: 1 })).toEqual([2]);
    expect(shown({ model: "m3" })).toEqual([3]);
    expect(shown({ mostPerMinute: "0.00000000000000012" })).toEqual([1, 2]);
  });

  it("behavior: what this page saw counts before an indexer's probe; what nobody saw is not ready", () => {
    const uptime = { probes: 1, answered: 1, meanLatencyMs: 30, lastAtMs: 0, lastOk: true, lastReason: null };
    const offers = [offer(1, { uptime }), offer(2, { uptime }), offer(3), offer(4)];
    const health: Record<number, Health> = { 1: { state: "unreachable" }, 4: { state: "ok", latencyMs: 500, free: 1, capacity: 1 } };
    const healthOf = ({ id }: MarketOffer) => health[id];
    expect(ids(arrange(offers, { ...wholeMarket, readyOnly: true }, healthOf))).toEqual([2, 4]);
    expect(ids(arrange(offers, { ...wholeMarket, sort: "latency" }, healthOf))).toEqual([2, 4, 1, 3]);
    expect(ids(arrange(offers, { ...wholeMarket, sort: "completions" }, healthOf))).toEqual([4, 3, 2, 1]);
  });
});

describe("viewFrom", () => {
  it("behavior: an address keeps the view, and nonsense in one is left out", () => {
    const view = {
      ...wholeMarket,
      search: "x y",
      serviceType: 2,
      model: "a&b",
      mostPerMinute: "0.5",
      readyOnly: true,
      sort: "newest",
    } as const;
    expect(viewFrom(Object.fromEntries(new URLSearchParams(addressOf(view))))).toEqual(view);
    expect(viewFrom({ q: ["a", "b"], service: "<x>", most: "1e9", sort: "up", as: "table" })).toEqual(wholeMarket);
    expect(addressOf(wholeMarket)).toBe("");
  });
});
