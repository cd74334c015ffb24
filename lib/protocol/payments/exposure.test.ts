import { describe, expect, test } from "vitest";
import { costDown } from "../../money/index.ts";
import { createFakeClock } from "../../testing/index.ts";
import { createExposure } from "./exposure.ts";

const RATE = 3_000_000n;

function open(deposit = RATE * 60n) {
  const clock = createFakeClock();
  return { clock, exposure: createExposure({ ratePerSecond: RATE, step: RATE, deposit: () => deposit }, clock) };
}

describe("createExposure", () => {
  test("behavior: never more than one step beyond what was measured here may be signed (P4)", async () => {
    const { clock, exposure } = open();
    expect(exposure.ceiling()).toBe(RATE);
    const stop = exposure.start();
    for (let second = 1; second <= 5; second += 1) {
      await clock.tick(1_000);
      expect(exposure.ceiling()).toBe(RATE * BigInt(second + 1));
    }
    stop();
    await clock.tick(60_000);
    expect(exposure.ceiling()).toBe(RATE * 6n);
    expect(exposure.owed()).toBe(RATE * 5n);
  });

  test("behavior: requests that overlap are owed once", async () => {
    const { clock, exposure } = open();
    const stops = Array.from({ length: 16 }, () => exposure.start());
    await clock.tick(1_500);
    for (const stop of stops) stop();
    expect(exposure.owed()).toBe(costDown(RATE, 1_500));
  });

  test("behavior: a provider that claims less is believed, one that claims more is not", async () => {
    const { clock, exposure } = open();
    const stop = exposure.start();
    await clock.tick(2_000);
    stop();
    exposure.agree(1_990, costDown(RATE, 1_990));
    expect(exposure.busyMs()).toBe(1_990);
    exposure.agree(60_000, costDown(RATE, 60_000));
    expect(exposure.busyMs()).toBe(1_990);
    expect(exposure.ceiling()).toBe(costDown(RATE, 1_990) + RATE);
  });

  test("behavior: what a price cap per token takes off is not owed later either", async () => {
    const { clock, exposure } = open();
    const stop = exposure.start();
    await clock.tick(4_000);
    exposure.agree(4_000, RATE);
    expect(exposure.owed()).toBe(RATE);
    await clock.tick(1_000);
    expect(exposure.owed()).toBe(RATE * 2n);
    expect(exposure.busyMs()).toBe(5_000);
    stop();
  });

  test("behavior: what was not owed before a restart is not owed after it either (P4)", () => {
    const before = { busyMs: 100_000, owed: RATE * 10n, signed: RATE * 11n };
    const exposure = createExposure({ ratePerSecond: RATE, step: RATE, deposit: () => RATE * 200n, before }, createFakeClock());
    expect(exposure.owed()).toBe(RATE * 10n);
    expect(exposure.ceiling()).toBe(RATE * 11n);
  });

  test("behavior: never more than the deposit", async () => {
    const { clock, exposure } = open(RATE * 2n);
    exposure.start();
    await clock.tick(10_000);
    expect(exposure.ceiling()).toBe(RATE * 2n);
  });

  test("behavior: what is at risk falls as it is served", async () => {
    const { clock, exposure } = open();
    exposure.start();
    exposure.sign(exposure.ceiling());
    expect(exposure.atRiskMs()).toBe(1_000);
    await clock.tick(800);
    expect(exposure.atRiskMs()).toBe(200);
    await clock.tick(800);
    expect(exposure.atRiskMs()).toBe(0);
    exposure.sign(1n);
    expect(exposure.signed).toBe(RATE);
  });
});
