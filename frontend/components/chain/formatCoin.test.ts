import { describe, expect, it } from "vitest";
import { formatCoin, movingPlaces } from "./formatCoin.ts";

describe("formatCoin", () => {
  it.each([
    [0n, "0"],
    [1n, "0.000000000000000001"],
    [123456789012345678n, "0.12345"],
    [123456789012345n, "0.00012345"],
    [100000000000000n, "0.0001"],
    [12345678901234567890n, "12.345"],
    [1234567_000000000000000000n, "1234567"],
    [999_999_999999999999999999n, "999999"],
  ])("behavior: %s is cut to %s", (raw, text) => expect(formatCoin(raw)).toBe(text));

  it("behavior: a moving number keeps its places", () => {
    expect([
      formatCoin(1_000000000000000n, { places: 6 }),
      formatCoin(0n, { places: 6 }),
      formatCoin(7n * 10n ** 18n, { places: 0 }),
    ]).toEqual(["0.001000", "0.000000", "7"]);
  });
});

describe("movingPlaces", () => {
  it("behavior: a hundredth of a second changes the last places", () => {
    expect([movingPlaces(10n ** 14n), movingPlaces(10n ** 18n), movingPlaces(1n)]).toEqual([6, 2, 18]);
  });
});
