import assert from "node:assert/strict";

/** Repeatable choices: the same seed makes the same run. */
export class Chooser {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 0x9e3779b1) >>> 0;
  }

  /** A whole number in 0..limit - 1. */
  below(limit: number): number {
    // xorshift32 on a Weyl sequence: plenty for choosing what to try next.
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = this.state ^ (this.state >>> 16);
    x = Math.imul(x, 0x21f0aaad) >>> 0;
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97) >>> 0;
    x ^= x >>> 15;
    return (x >>> 0) % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  one<T>(list: readonly T[]): T {
    assert(list.length > 0);
    return list[this.below(list.length)] as T;
  }

  /** An amount in min..max. */
  amount(min: bigint, max: bigint): bigint {
    const span = max - min + 1n;
    const random = (BigInt(this.below(2 ** 30)) << 60n) | (BigInt(this.below(2 ** 30)) << 30n) | BigInt(this.below(2 ** 30));
    return min + (random % span);
  }
}

/** How often and how long; quick by default, deep by environment: `INVARIANT_RUNS=200 INVARIANT_STEPS=500`. */
export const RUNS = Number(process.env.INVARIANT_RUNS ?? 2);
export const STEPS = Number(process.env.INVARIANT_STEPS ?? 120);
export const SEED = Number(process.env.INVARIANT_SEED ?? 1);
