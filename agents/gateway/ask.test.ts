import { readStream } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Market, openMarket } from "./testing/market.ts";

let market: Market;
beforeAll(async () => {
  market = await openMarket();
}, 60_000);
afterEach(() => market.clear());
afterAll(() => market.close());

describe("ask", () => {
  it("behavior: a whole answer is paid for exactly the served milliseconds", async () => {
    await market.provide();
    const result = await market.ask();
    expect(result.failure).toBeUndefined();
    expect(result.answer).toBe("paid by the second");
    const { bill, stream, signed } = result;
    expect(bill?.paidWei).toBe(costDown(stream?.ratePerSecond ?? 0n, signed?.receipt.servedMs ?? -1));
    expect((await readStream(market.chain, stream?.id ?? 0n)).status).toBe("closed");
  });
});
