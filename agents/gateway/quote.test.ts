import type { Chain, Offer } from "@clawcompute/lib/chain";
import { networkOf } from "@clawcompute/lib/config/network";
import { describe, expect, it } from "vitest";
import { type Caps, planDeposit } from "./quote.ts";

const chain = { network: networkOf({ name: "local" }) } as Chain;
const offer = { id: 7, pricePerSecond: 1_000n } as Offer;
const caps: Caps = { maxSpend: 1_000_000n, spent: 0n, seconds: 60, exactSeconds: false, firstTokenMs: 30_000 };

describe("planDeposit", () => {
  it.each<[string, Partial<Caps>, number]>([
    ["what is asked for, where it fits", {}, 60],
    ["exactly what is left", { maxSpend: 60_000n }, 60],
    ["less, where less fits", { maxSpend: 59_999n }, 59],
    ["less by what earlier attempts cost", { maxSpend: 60_000n, spent: 20_500n }, 39],
    ["at least five seconds", { maxSpend: 5_000n }, 5],
    ["a time below five seconds that was asked for", { seconds: 2, exactSeconds: true }, 2],
    ["a time below five seconds by configuration", { seconds: 3, maxSpend: 3_000n }, 3],
    ["with a limit beyond any number", { maxSpend: 2n ** 128n }, 60],
  ])("behavior: %s", (_, change, seconds) => {
    const quote = planDeposit(chain, offer, { ...caps, ...change });
    expect(quote).toMatchObject({ seconds, depositWei: 1_000n * BigInt(seconds) });
    expect(quote.depositWei + (change.spent ?? 0n)).toBeLessThanOrEqual(change.maxSpend ?? caps.maxSpend);
  });

  it("behavior: the worst case is the rate times first token, confirmation and a second, never above the deposit (P3)", () => {
    expect(planDeposit(chain, offer, caps).worstCaseLossWei).toBe(1_000n * (30n + 2n + 1n));
    expect(planDeposit(chain, offer, { ...caps, seconds: 10 }).worstCaseLossWei).toBe(10_000n);
  });

  it.each<[string, Partial<Caps>, object]>([
    [
      "not even five seconds",
      { maxSpend: 4_999n },
      { message: "5 s at 0.000000000000001 ETH a second exceed the limit of 0.000000000000004999 ETH.", facts: { secondsThatFit: 4 } },
    ],
    [
      "exact seconds",
      { seconds: 100, exactSeconds: true, maxSpend: 99_999n },
      { hint: "Allow --max-spend 0.0000000000001, or ask for --seconds 99." },
    ],
    ["everything is spent", { maxSpend: 10_000n, spent: 10_000n }, { facts: { secondsThatFit: 0, neededWei: "15000" } }],
    ["more than everything is spent", { maxSpend: 10_000n, spent: 20_000n }, { facts: { secondsThatFit: 0 } }],
  ])("error: %s", (_, change, expected) => {
    expect(() => planDeposit(chain, offer, { ...caps, ...change })).toThrowError(
      expect.objectContaining({
        code: "DEPOSIT_ABOVE_LIMIT",
        param: "max-spend",
        ...expected,
        ...("facts" in expected ? { facts: expect.objectContaining(expected.facts as object) } : {}),
      }),
    );
  });
});
