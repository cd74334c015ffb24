import { createFakeClock } from "@clawcompute/lib/testing";
import { describe, expect, test } from "vitest";
import { watchAnswer } from "./watchAnswer.ts";

async function start(runwayAtStartMs = 1_000_000) {
  const clock = createFakeClock();
  const startedAtMs = clock.now();
  const happened: string[] = [];
  let ticks = 0;
  const watch = watchAnswer({
    clock,
    limits: { firstTokenMs: 30_000, stallMs: 20_000, heartbeatMs: 5_000 },
    startedAtMs,
    runwayMs: () => Math.max(0, runwayAtStartMs - (clock.now() - startedAtMs)),
    onRunwayOver: () => happened.push(`${clock.now() - startedAtMs} runway over`),
    onSilent: ({ message }) => happened.push(`${clock.now() - startedAtMs} ${message}`),
    comment: (text) => happened.push(`${clock.now() - startedAtMs} ${text}`),
    alive: () => happened.push(`${clock.now() - startedAtMs} alive`),
    onTick: () => {
      ticks += 1;
    },
  });
  await clock.tick(0);
  return { clock, watch, happened, ticks: () => ticks };
}

describe("watchAnswer", () => {
  test("behavior: warns of the runway at 120, 30 and 10 s and ends with it, to the millisecond", async () => {
    const { clock, watch, happened } = await start(125_500);
    watch.received();
    for (let second = 0; second < 130; second += 1) {
      watch.delivered();
      await clock.tick(1_000);
    }
    expect(happened).toEqual(["6000 runway 120 s", "96000 runway 30 s", "116000 runway 10 s", "125500 runway over"]);
  });

  test("behavior: a short runway is told once, at the start", async () => {
    const { happened } = await start(9_000);
    expect(happened).toEqual(["0 runway 9 s"]);
  });

  test("behavior: signs of life while nothing is said, then the first-token deadline", async () => {
    const { clock, happened } = await start();
    await clock.tick(40_000);
    expect(happened).toEqual([
      "5000 alive",
      "10000 alive",
      "15000 alive",
      "20000 alive",
      "25000 alive",
      "30000 The model produced no token for 30 s.",
    ]);
  });

  test("behavior: after the first token, silence counts from the engine's last turn; a slow reader is not its fault", async () => {
    const { clock, watch, happened } = await start();
    watch.firstToken();
    watch.received();
    await clock.tick(60_000);
    expect(happened.filter((line) => !line.endsWith("alive"))).toEqual([]);
    watch.waiting();
    await clock.tick(20_000);
    expect(happened.at(-1)).toBe("80000 The model was silent in the middle of the answer for 20 s.");
  });

  test("behavior: ticks each second, and no more when it is over", async () => {
    const { clock, watch, ticks } = await start();
    await clock.tick(3_000);
    expect(ticks()).toBe(4);
    watch.end();
    await clock.tick(10_000);
    expect(ticks()).toBe(4);
    expect(clock.sleepers()).toBe(0);
  });
});
