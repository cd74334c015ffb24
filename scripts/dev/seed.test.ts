import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, connectChain, listActiveOffers } from "@clawcompute/lib/chain";
import { type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { providerPlans } from "./providers.ts";
import { seed } from "./seed.ts";

let local: LocalChain;
let chain: Chain;
beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  chain = connectChain(local.network);
});
afterAll(() => local?.stop());

const fill = (signal?: AbortSignal, onProgress?: (done: number) => void) =>
  seed({
    chain,
    providers: 300,
    streams: 1200,
    mine: () => local.mine(),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });

describe("seed", () => {
  it("behavior: goes on where it was stopped, and adds nothing when all is there", async () => {
    const stop = new AbortController();
    await expect(fill(stop.signal, (done) => done === 11 && stop.abort())).rejects.toThrow();
    await fill();
    const block = await chain.client.getBlockNumber();
    await fill();
    expect(await chain.client.getBlockNumber()).toBe(block);
    const opened = await chain.client.readContract({
      address: chain.network.contracts.streamPay,
      abi: streamPayAbi,
      functionName: "getProtocolStats",
    });
    expect(opened).toBe(1200n);
  });

  it("behavior: its providers are harmless: nobody listens, and every real one is cheaper", async () => {
    const offers = await listActiveOffers(chain);
    expect(offers).toHaveLength(300);
    expect(new Set(offers.map(({ endpoint }) => endpoint))).toEqual(new Set(["http://127.0.0.1:1/"]));
    const dearest = providerPlans.map(({ price }) => parseEther(price)).reduce((a, b) => (a > b ? a : b));
    expect(offers.every(({ pricePerSecond }) => pricePerSecond > dearest)).toBe(true);
    const real = new Set(providerPlans.map(({ model }) => model));
    expect(offers.some(({ model }) => real.has(model))).toBe(false);
  });
});
