export interface PriceChange {
  /** Unix seconds. */
  readonly at: number;
  readonly providerId: number;
  readonly pricePerSecond: bigint;
  readonly active: boolean;
}

export interface PriceDay {
  readonly day: number;
  readonly low: bigint;
  readonly median: bigint;
  readonly high: bigint;
  readonly offers: number;
}

/**
 * What a model cost on each day from `from` to `to`, from every change of its offers in order. A day counts every price that was on
 * offer at some time of it; days on which nothing was on offer are left out.
 */
export function priceDays(changes: readonly PriceChange[], from: number, to: number): PriceDay[] {
  const offers = new Map<number, bigint>();
  const sorted: bigint[] = [];
  const days: PriceDay[] = [];
  let next = 0;
  const first = changes[0] ? Math.floor(changes[0].at / 86_400) : to + 1;
  for (let day = first; day <= to; day += 1) {
    let low = sorted[0];
    let high = sorted.at(-1);
    let median = middleOf(sorted);
    for (let change = changes[next]; change && change.at < (day + 1) * 86_400; change = changes[next]) {
      next += 1;
      const before = offers.get(change.providerId);
      if (before !== undefined) sorted.splice(placeOf(sorted, before), 1);
      offers.delete(change.providerId);
      if (change.active) {
        offers.set(change.providerId, change.pricePerSecond);
        sorted.splice(placeOf(sorted, change.pricePerSecond), 0, change.pricePerSecond);
      }
      const [cheapest, dearest] = [sorted[0], sorted.at(-1)];
      if (cheapest === undefined || dearest === undefined) continue;
      if (low === undefined || cheapest < low) low = cheapest;
      if (high === undefined || dearest > high) high = dearest;
      median = middleOf(sorted);
    }
    if (day < from || low === undefined || high === undefined || median === undefined) continue;
    days.push({ day, low, high, median: middleOf(sorted) ?? median, offers: offers.size });
  }
  return days;
}

const middleOf = (sorted: readonly bigint[]) => sorted[(sorted.length - 1) >> 1];

function placeOf(sorted: readonly bigint[], value: bigint): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as bigint) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
