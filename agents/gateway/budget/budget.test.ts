import { createHash } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { createFakeClock } from "@clawcompute/lib/testing";
import { zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { type Client, createBudget, type DepositHold } from "./budget.ts";
import { parseClients } from "./clients.ts";

const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (thrown) {
    const { code, retryAfterSeconds } = AppError.from(thrown);
    return retryAfterSeconds === undefined ? code : `${code} ${retryAfterSeconds}`;
  }
  return "fine";
};
const owner: Client = { name: "local", limits: {} };

describe("createBudget (P14)", () => {
  test("behavior: deposits count in full until they are settled, then what was spent does", async () => {
    const clock = createFakeClock();
    const budget = createBudget({
      limits: { perHour: 100n, total: 150n },
      clock,
      asset: { address: zeroAddress, symbol: "ETH", decimals: 18 },
    });
    const first = budget.holdDeposit(60n);
    expect(budget.room()).toBe(40n);
    expect(codeOf(() => budget.holdDeposit(50n))).toBe("SPENDING_PAUSED 3");
    expect(codeOf(() => first.grow(41n))).toBe("SPENDING_PAUSED 3");
    first.grow(40n);
    expect(first.wei).toBe(100n);
    first.settle(30n);
    first.settle(30n);
    expect(budget.report()).toMatchObject({ heldWei: 0n, hourWei: 30n, totalWei: 30n });
    budget.holdDeposit(70n).settle(70n);
    expect(codeOf(() => budget.holdDeposit(1n))).toBe("BUDGET_EXCEEDED");
    await clock.tick(3_600_000 - 60_000);
    expect(codeOf(() => budget.holdDeposit(1n))).toMatch(/^SPENDING_PAUSED \d+$/);
    await clock.tick(120_000);
    budget.holdDeposit(50n).settle(50n);
    await clock.tick(7_200_000);
    expect(codeOf(() => budget.holdDeposit(1n))).toBe("BUDGET_EXCEEDED");
  });

  test("behavior: whatever happens in whatever order, spent and held never pass the limit", () => {
    const clock = createFakeClock();
    const budget = createBudget({ limits: { perDay: 1_000n }, clock, asset: { address: zeroAddress, symbol: "ETH", decimals: 18 } });
    const open: DepositHold[] = [];
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let step = 0; step < 2_000; step += 1) {
      const move = next(3);
      if (move === 0) codeOf(() => open.push(budget.holdDeposit(BigInt(next(300)))));
      else if (move === 1) codeOf(() => open[next(open.length || 1)]?.grow(BigInt(next(100))));
      else {
        const [hold] = open.splice(next(open.length || 1), 1);
        hold?.settle(hold.wei / BigInt(1 + next(40)));
      }
      const { heldWei, dayWei } = budget.report();
      expect(heldWei + dayWei).toBeLessThanOrEqual(1_000n);
    }
  });

  test("behavior: a client's requests share its limits, and one that is all used up waits for a person", () => {
    const budget = createBudget({
      limits: { perRequest: 60n },
      clock: createFakeClock(),
      asset: { address: zeroAddress, symbol: "ETH", decimals: 18 },
    });
    const client: Client = { name: "ci", limits: { perDay: 100n } };
    const first = budget.admit(client);
    expect(first.mostWei).toBe(60n);
    const second = budget.admit(client);
    expect(second.mostWei).toBe(40n);
    expect(codeOf(() => budget.admit(client))).toBe("SPENDING_PAUSED 3");
    expect(budget.admit(owner).mostWei).toBe(60n);
    first.settle(60n);
    second.settle(40n);
    expect(codeOf(() => budget.admit(client))).toBe("BUDGET_EXCEEDED");
    expect(budget.admit(owner, 5n).mostWei).toBe(5n);
  });

  test("behavior: an earlier run's spending counts", () => {
    const clock = createFakeClock();
    const budget = createBudget({
      limits: { perDay: 100n, total: 1_000n },
      clock,
      asset: { address: zeroAddress, symbol: "ETH", decimals: 18 },
    });
    budget.restore([
      { wei: 900n, atMs: clock.now() - 10 * 86_400_000, client: undefined },
      { wei: 30n, atMs: clock.now() - 3_600_000, client: undefined },
    ]);
    expect(budget.room()).toBe(70n);
    expect(budget.report().totalWei).toBe(930n);
  });
});

describe("parseClients", () => {
  const keySha256 = createHash("sha256").update("secret").digest("hex");
  test("behavior: names, keys and caps in coins", () => {
    expect(parseClients(JSON.stringify([{ name: "ci", keySha256, perDay: "0.5", models: ["m"] }]))).toEqual([
      { keySha256, client: { name: "ci", limits: { perDay: 5n * 10n ** 17n }, models: ["m"], providers: undefined, owner: false } },
    ]);
  });
  test.each([
    ["no JSON", "{"],
    ["nobody", "[]"],
    ["a key in the clear", JSON.stringify([{ name: "ci", keySha256: "secret" }])],
    ["a misspelled limit", JSON.stringify([{ name: "ci", keySha256, perdya: "1" }])],
    ["a limit that is no amount", JSON.stringify([{ name: "ci", keySha256, perDay: 0.5 }])],
    [
      "one name twice",
      JSON.stringify([
        { name: "ci", keySha256 },
        { name: "ci", keySha256 },
      ]),
    ],
  ])("error: %s", (_, text) => {
    expect(codeOf(() => parseClients(text))).toBe("CONFIG_INVALID");
  });
});
