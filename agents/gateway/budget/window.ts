const BUCKET_MS = 60_000;

/** Amounts by the minute, so that windows are summed without keeping every entry. Counts a minute as long as any of it is in the window. */
export interface SpendWindow {
  add(wei: bigint, atMs: number): void;
  sum(sinceMs: number): bigint;
  readonly total: bigint;
  /** When at least `wei` of what the window of `lengthMs` holds has left it. */
  freeAtMs(wei: bigint, nowMs: number, lengthMs: number): number;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function createWindow(): SpendWindow {
  const buckets = new Map<number, bigint>();
  let total = 0n;
  const prune = (nowMs: number) => {
    for (const minute of buckets.keys()) if ((minute + 1) * BUCKET_MS <= nowMs - DAY_MS - BUCKET_MS) buckets.delete(minute);
  };
  return {
    add: (wei, atMs) => {
      if (wei === 0n) return;
      total += wei;
      const minute = Math.floor(atMs / BUCKET_MS);
      buckets.set(minute, (buckets.get(minute) ?? 0n) + wei);
      prune(atMs);
    },
    sum: (sinceMs) => {
      let sum = 0n;
      for (const [minute, wei] of buckets) if ((minute + 1) * BUCKET_MS > sinceMs) sum += wei;
      return sum;
    },
    get total() {
      return total;
    },
    freeAtMs: (wei, nowMs, lengthMs) => {
      let left = wei;
      for (const [minute, amount] of [...buckets].sort(([a], [b]) => a - b)) {
        if ((minute + 1) * BUCKET_MS <= nowMs - lengthMs) continue;
        left -= amount;
        if (left <= 0n) return (minute + 1) * BUCKET_MS + lengthMs;
      }
      return nowMs + lengthMs;
    },
  };
}
