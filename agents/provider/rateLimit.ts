import { isIP } from "node:net";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";

/** How often each of many parties may do something. Its table is bounded: who was silent longest is forgotten. */
export interface RateLimit {
  /** Counts one. Throws RATE_LIMITED with the time after which it may be tried again. */
  take(party: string): void;
  /** Throws as `take` would, without counting. */
  assertMay(party: string): void;
  /** It was worth it: does not count. */
  giveBack(party: string): void;
  /** Parties remembered. */
  size(): number;
}

export interface RateLimitOptions {
  /** 0: no limit. */
  readonly perMinute: number;
  /** What is limited, for the caller to read. */
  readonly what: string;
  readonly clock: Clock;
  /** Parties remembered at most. Default 20,000. */
  readonly capacity?: number;
}

/** Ten seconds' worth may come at once. */
const burstOf = (perMinute: number): number => Math.max(5, Math.ceil(perMinute / 6));

export function createRateLimit({ perMinute, what, clock, capacity = 20_000 }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { left: number; atMs: number }>();
  const burst = burstOf(perMinute);
  const perMs = perMinute / 60_000;

  function leftFor(party: string): number {
    const bucket = buckets.get(party);
    return bucket ? Math.min(burst, bucket.left + (clock.now() - bucket.atMs) * perMs) : burst;
  }
  function put(party: string, left: number): void {
    buckets.delete(party);
    if (left < burst) buckets.set(party, { left, atMs: clock.now() });
    if (buckets.size > capacity) buckets.delete(buckets.keys().next().value as string);
  }
  function assertMay(party: string): number {
    const left = leftFor(party);
    if (left >= 1) return left;
    throw new AppError("RATE_LIMITED", `Too many ${what}.`, {
      facts: { perMinute },
      retryAfterSeconds: Math.ceil((1 - left) / perMs / 1000),
    });
  }
  const off = perMinute === 0;
  return {
    take: (party) => {
      if (!off) put(party, assertMay(party) - 1);
    },
    assertMay: (party) => {
      if (!off) assertMay(party);
    },
    giveBack: (party) => {
      if (!off) put(party, Math.min(burst, leftFor(party) + 1));
    },
    size: () => buckets.size,
  };
}

/** Who sends requests may send them from all of its network: IPv6 hosts have a whole /64 each. */
export function partyOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  const [left = "", right] = (address.split("%")[0] as string).split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const gap = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: gap }, () => "0"), ...tail].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/** The caller's address. Each proxy in front appends the one it saw, so only as many words are believed as there are proxies. */
export function addressOf(socketAddress: string | undefined, forwardedFor: string | undefined, trustedProxies: number): string {
  const own = socketAddress ?? "unknown";
  if (trustedProxies === 0 || !forwardedFor) return own;
  const claimed = forwardedFor.split(",").at(-trustedProxies)?.trim() ?? "";
  return isIP(claimed) ? claimed : own;
}
