import { describe, expect, test } from "vitest";
import { AppError } from "../errors/index.ts";
import { costDown, costUp, coveredMsDown, formatAmount, MAX_AMOUNT, parseAmount, parseRaw, worstCaseLoss } from "./index.ts";

const rate = 100_000_000_000_000n; // 0.0001 coin a second

describe("costDown, costUp", () => {
  test("behavior: 4.2 seconds cost 4.2 seconds, to the unit (P6)", () => {
    expect(costDown(rate, 4200)).toBe(420_000_000_000_000n);
    expect(costUp(rate, 4200)).toBe(420_000_000_000_000n);
  });

  test("behavior: charges round down and holds round up, by less than one unit", () => {
    for (const [unitsPerSecond, ms] of [
      [1n, 1],
      [7n, 333],
      [999n, 1001],
      [3n, 0],
    ] as const) {
      const exact = unitsPerSecond * BigInt(ms);
      expect(costDown(unitsPerSecond, ms) * 1000n).toBeLessThanOrEqual(exact);
      expect(costUp(unitsPerSecond, ms) * 1000n).toBeGreaterThanOrEqual(exact);
      expect(costUp(unitsPerSecond, ms) - costDown(unitsPerSecond, ms)).toBeLessThanOrEqual(1n);
    }
  });

  test("behavior: negative time costs nothing", () => {
    expect(costDown(rate, -5)).toBe(0n);
    expect(costUp(rate, -5)).toBe(0n);
  });
});

test("coveredMsDown behavior: what is covered never costs more than the amount", () => {
  for (const amount of [0n, 1n, rate, 123_456_789_012_345n]) {
    const ms = coveredMsDown(amount, rate);
    expect(costDown(rate, ms)).toBeLessThanOrEqual(amount);
    expect(costUp(rate, ms + 1)).toBeGreaterThan(amount);
  }
  expect(coveredMsDown(5n, 0n)).toBe(0);
});

test("worstCaseLoss behavior: rate × (first-token deadline + confirmation + 1 s) (P3)", () => {
  expect(worstCaseLoss(rate, 30_000, 1_000)).toBe(rate * 32n);
});

describe("parseAmount, formatAmount", () => {
  test("error: too much is said to be too much, however long", () => {
    for (const text of ["999999999999999999999", "9".repeat(70)]) {
      expect(() => parseAmount(text, 18, "max-spend")).toThrow("max-spend is larger than any deposit can be.");
    }
  });

  test("behavior: come back the same", () => {
    for (const raw of [0n, 1n, 10n ** 18n, 4_200_000_000_000_000n, MAX_AMOUNT]) expect(parseAmount(formatAmount(raw))).toBe(raw);
    expect(parseAmount("0.0042")).toBe(4_200_000_000_000_000n);
    expect(parseAmount("1.50", 6)).toBe(1_500_000n);
  });

  test.each(["", ".", "-1", "1e18", "0x1", "1,5", " ", "NaN", "1.", "0.0000000000000000001", "9".repeat(40)])("error: %j", (text) => {
    expect(() => parseAmount(text)).toThrow(AppError);
    try {
      parseAmount(text, 18, "--max-spend");
    } catch (error) {
      expect(error).toMatchObject({ code: "BAD_AMOUNT", param: "--max-spend" });
    }
  });
});

describe("parseRaw", () => {
  test("behavior: decimal strings only", () => {
    expect(parseRaw("0")).toBe(0n);
    expect(parseRaw(MAX_AMOUNT.toString())).toBe(MAX_AMOUNT);
  });

  test.each([1, null, undefined, "", "01", "+1", "-1", "1.0", "0x10", (MAX_AMOUNT + 1n).toString(), "9".repeat(100)])(
    "error: %j",
    (value) => {
      expect(() => parseRaw(value)).toThrow(expect.objectContaining({ code: "BAD_AMOUNT" }));
    },
  );
});
