import { type Chain, connectChain } from "@clawcompute/lib/chain";
import { networkOf } from "@clawcompute/lib/config/network";
import { QueryClient } from "@tanstack/react-query";
import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { symbolOf, tokenQuery } from "./tokens.ts";

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

describe("tokenQuery", () => {
  it("behavior: the coin is known without asking anybody, also when everything is read again", async () => {
    const chain: Chain = connectChain(networkOf({ name: "local", rpcUrls: ["http://127.0.0.1:1"] }));
    const client = new QueryClient();
    const coin = { asset: zeroAddress, symbol: "ETH", decimals: 18 };
    expect(await client.fetchQuery(tokenQuery(chain, zeroAddress))).toEqual(coin);
    await client.invalidateQueries();
    expect(await client.fetchQuery(tokenQuery(chain, zeroAddress))).toEqual(coin);
  });
});
