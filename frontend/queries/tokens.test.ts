import { describe, expect, it } from "vitest";
import { symbolOf } from "./tokens.ts";

const asset = "0x1234567890123456789012345678901234567890";
const short = "0x1234…7890";

describe("symbolOf", () => {
  it.each([
    ["USDC", "USDC"],
    ["aUSD-2.0", "aUSD-2.0"],
    ["ETH", short],
    ["e\u200bTH", short],
    ["ΕΤΗ", short],
    ["<b>x</b>", short],
    ["", short],
    ["A".repeat(40), short],
  ])("behavior: %j is shown as %s", (symbol, shown) => expect(symbolOf(symbol, asset, "ETH")).toBe(shown));
});
