import { describe, expect, test } from "vitest";
import { mostPayableMs } from "./caps.ts";

const work = (unitsIn: number, unitsOut: number, inTokens = true) => ({ inTokens, units: () => ({ unitsIn, unitsOut }) });

describe("mostPayableMs behavior: min(time × rate, tokens × cap), as time", () => {
  test.each([
    [undefined, work(1, 1), Number.POSITIVE_INFINITY],
    [10n, work(5, 5), 100],
    [10n, work(0, 0), 0],
    [10n, work(5, 5, false), Number.POSITIVE_INFINITY],
    [1n, work(0, 1), 1],
  ])("cap %s", (pricePerToken, done, ms) => {
    expect(mostPayableMs({ pricePerToken }, done, 1_000n)).toBe(ms);
  });
});
