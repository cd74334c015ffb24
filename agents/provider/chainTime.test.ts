import { createFakeClock } from "@clawcompute/lib/testing";
import { describe, expect, test } from "vitest";
import { createChainTime } from "./chainTime.ts";

const START = 1_800_000_000_000;
const start = () => {
  const clock = createFakeClock(START);
  return { clock, time: createChainTime({ clock, staleAfterMs: 10_000 }) };
};

describe("createChainTime", () => {
  test("behavior: goes on between blocks, by the block whose news was least late", async () => {
    const { clock, time } = start();
    time.observe({ number: 1n, timestampMs: START - 500 });
    await clock.tick(1_000);
    expect(time.nowMs()).toBe(START + 500);
    time.observe({ number: 2n, timestampMs: START - 1_700 });
    expect(time.nowMs()).toBe(START + 500);
    time.observe({ number: 3n, timestampMs: START + 900 });
    expect(time.nowMs()).toBe(START + 900);
    expect(time.nowSeconds()).toBe((START + 900 - 900) / 1000);
  });

  test("behavior: follows a chain whose clock was moved back, once the old blocks are forgotten", () => {
    const { time } = start();
    time.observe({ number: 1n, timestampMs: START + 60_000 });
    for (let number = 2n; number < 25n; number += 1n) time.observe({ number, timestampMs: START });
    expect(time.nowMs()).toBe(START);
  });

  test("behavior: the same block again is no news", async () => {
    const { clock, time } = start();
    time.observe({ number: 1n, timestampMs: START });
    await clock.tick(9_000);
    time.observe({ number: 1n, timestampMs: START });
    expect(time.lagMs()).toBe(9_000);
    expect(time.isFresh()).toBe(true);
    await clock.tick(2_000);
    expect(() => time.assertFresh()).toThrow(
      expect.objectContaining({ code: "CHAIN_STALE", facts: { lagMs: 11_000, staleAfterMs: 10_000 } }),
    );
  });

  test("error: before the first block there is no time", () => {
    const { time } = start();
    expect(() => time.nowMs()).toThrow(expect.objectContaining({ code: "CHAIN_STALE" }));
    expect(time.isFresh()).toBe(false);
    expect(() => time.assertFresh()).toThrow(expect.objectContaining({ facts: { lagMs: null, staleAfterMs: 10_000 } }));
  });
});
