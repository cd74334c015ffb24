import { expect, it } from "vitest";
import { priceDays } from "./priceDays.ts";
import { chance } from "./testing/story.ts";

const DAY = 86_400;
const change = (day: number, second: number, providerId: number, pricePerSecond: bigint, active = true) => ({
  at: day * DAY + second,
  providerId,
  pricePerSecond,
  active,
});

it("behavior: a day counts every price that was on offer at some time of it", () => {
  const changes = [
    change(1, 0, 1, 10n),
    change(1, 5, 2, 30n),
    change(1, 9, 1, 20n),
    change(3, 0, 2, 30n, false),
    change(4, 0, 1, 20n, false),
    change(6, 0, 3, 7n),
    change(6, 1, 3, 7n, false),
  ];
  expect(priceDays(changes, 0, 7)).toEqual([
    { day: 1, low: 10n, median: 20n, high: 30n, offers: 2 },
    { day: 2, low: 20n, median: 20n, high: 30n, offers: 2 },
    { day: 3, low: 20n, median: 20n, high: 30n, offers: 1 },
    { day: 4, low: 20n, median: 20n, high: 20n, offers: 0 },
    { day: 6, low: 7n, median: 7n, high: 7n, offers: 0 },
  ]);
  expect(priceDays(changes, 2, 2)).toEqual([{ day: 2, low: 20n, median: 20n, high: 30n, offers: 2 }]);
  expect(priceDays([], 0, 10)).toEqual([]);
});

it("behavior: agrees with trying every moment", () => {
  const random = chance(9);
  const changes = Array.from({ length: 300 }, (_, index) =>
    change(Math.floor(index / 20), index, 1 + Math.floor(random() * 12), BigInt(1 + Math.floor(random() * 50)), random() > 0.3),
  );
  const offers = new Map<number, bigint>();
  for (const found of priceDays(changes, 0, 20)) {
    const prices: bigint[] = [];
    for (const { providerId, pricePerSecond, active, at } of changes) {
      const day = Math.floor(at / DAY);
      if (day === found.day && prices.length === 0) prices.push(...offers.values());
      if (day !== found.day) continue;
      if (active) offers.set(providerId, pricePerSecond);
      else offers.delete(providerId);
      prices.push(...offers.values());
    }
    if (prices.length === 0) prices.push(...offers.values());
    const sorted = prices.toSorted((a, b) => Number(a - b));
    expect([found.low, found.high, found.offers], `day ${found.day}`).toEqual([sorted[0], sorted.at(-1), offers.size]);
  }
});
