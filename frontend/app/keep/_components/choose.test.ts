import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import type { Candidate } from "@/queries/keeper.ts";
import { batchOf, paying } from "./choose.ts";

const [a, b, token] = ["0xaa", "0xbb", "0x99"] as const;
const candidate = (id: bigint, reward: bigint, more: Partial<Candidate> = {}) =>
  ({ id, reward, payee: a, asset: zeroAddress, providerId: 1, ...more }) as Candidate;

describe("paying", () => {
  it("behavior: takes what pays its own gas in the native coin, and nothing else", () => {
    const candidates = [candidate(1n, 31_000n * 7n + 1n), candidate(2n, 31_000n * 7n), candidate(3n, 10n ** 18n, { asset: token })];
    expect([...paying(candidates, 7n)]).toEqual([1n]);
  });

  it("behavior: at most one transaction's worth, the best of it", () => {
    const chosen = paying(
      Array.from({ length: 600 }, (_, index) => candidate(BigInt(index), 10n ** 12n + BigInt(index))),
      1n,
    );
    expect(chosen.size).toBe(500);
    expect(chosen.has(100n) && !chosen.has(99n)).toBe(true);
  });
});

describe("batchOf", () => {
  it("behavior: puts the same payee's streams beside each other, and leaves out what was not chosen", () => {
    const candidates = [candidate(1n, 0n, { payee: b }), candidate(2n, 0n), candidate(3n, 0n, { payee: b }), candidate(4n, 0n)];
    expect(batchOf(candidates, new Set([1n, 2n, 3n]))).toEqual([2n, 1n, 3n]);
  });
});
