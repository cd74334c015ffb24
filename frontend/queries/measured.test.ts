import { describe, expect, it } from "vitest";
import { costOfMillion, speedOf } from "./measured.ts";

const kept = (...receipts: object[]) =>
  JSON.stringify({ turns: [{ role: "user" }, ...receipts.map((receipt) => ({ receipt: { signed: { receipt } } }))] });

describe("speedOf", () => {
  it("behavior: adds up this provider's receipts and nothing else", () => {
    const texts = [
      kept({ providerId: 3, unitsOut: 20, servedMs: 400 }, { providerId: 4, unitsOut: 9, servedMs: 9 }),
      kept({ providerId: 3, unitsOut: 30, servedMs: 600 }, { providerId: 3, unitsOut: "many", servedMs: 1 }),
      "not json",
      "{}",
    ];
    expect(speedOf(texts, 3)).toEqual({ answers: 2, tokens: 50, servedMs: 1000 });
    expect(speedOf(texts, 5)).toBeUndefined();
  });
});

describe("costOfMillion", () => {
  it("behavior: the time of a million tokens at the measured speed", () => {
    expect(costOfMillion(100n, { answers: 1, tokens: 50, servedMs: 1000 })).toBe(2_000_000n);
  });
});
