import { describe, expect, it } from "vitest";
import { createBlockRange } from "./blockRange.ts";

/** Asks `rounds` times an endpoint that allows `limitAt(round)` blocks; returns the sizes that it refused, and the last one accepted. */
function ask(limitAt: (round: number) => bigint, rounds: number) {
  const range = createBlockRange();
  const refusals: number[] = [];
  let last = 0n;
  for (let round = 0; round < rounds; round += 1) {
    const { size } = range;
    if (size > limitAt(round)) {
      refusals.push(round);
      range.refused(size);
    } else {
      last = size;
      range.accepted(size);
    }
  }
  return { refusals, last };
}

describe("createBlockRange", () => {
  it("behavior: grows to the most where nothing is refused", () => {
    expect(ask(() => 1_000_000n, 10)).toEqual({ refusals: [], last: 10_000n });
  });

  it.each([1n, 40n, 1_000n, 3_000n, 9_999n])("behavior: comes near a limit of %d blocks and stays there", (limit) => {
    const { refusals, last } = ask(() => limit, 150);
    expect(refusals.length).toBeLessThanOrEqual(13);
    expect(refusals.every((round) => round < 25)).toBe(true);
    expect(last).toBeGreaterThanOrEqual((limit * 8n) / 10n);
  });

  it("behavior: finds out when more is allowed again", () => {
    expect(ask((round) => (round < 50 ? 40n : 1_000_000n), 400).last).toBe(10_000n);
  });

  it("behavior: what was cut short, or failed, does not make it grow", () => {
    const range = createBlockRange();
    range.accepted(3n);
    expect(range.size).toBe(1_000n);
    for (let turn = 0; turn < 20; turn += 1) range.failed();
    expect(range.size).toBe(1n);
  });
});
