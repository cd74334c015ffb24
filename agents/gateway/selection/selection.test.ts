import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { createFakeClock } from "@clawcompute/lib/testing";
import { zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { cooldownMs, createExperience } from "./experience.ts";
import { classify, saidByProvider } from "./faults.ts";
import { parseModelName } from "./modelName.ts";
import { rankOffers } from "./rank.ts";

const offer = (id: number, price: bigint, change: Partial<Offer> = {}): Offer => ({
  id,
  owner: zeroAddress,
  signer: undefined,
  asset: zeroAddress,
  pricePerSecond: price,
  serviceType: 0,
  active: true,
  registeredAt: 0,
  completions: 0n,
  earned: 0n,
  model: "m",
  endpoint: "http://x",
  ...change,
});

describe("parseModelName", () => {
  test.each([
    ["llama", { model: "llama", providerId: undefined, mode: "balanced" }],
    ["llama:latest", { model: "llama" }],
    ["llama:7b", { model: "llama:7b" }],
    ["llama@12", { model: "llama", providerId: 12 }],
    ["a@b@3", { model: "a@b", providerId: 3 }],
    ["llama@0", { model: "llama@0", providerId: undefined }],
    ["llama@x", { model: "llama@x" }],
    ["llama@4294967296", { model: "llama@4294967296" }],
    ["auto", { model: undefined, mode: "balanced" }],
    ["auto:cheap", { model: undefined, mode: "cheap" }],
    ["auto:fast", { model: undefined, mode: "fast" }],
    ["auto@7", { model: undefined, providerId: 7 }],
    ["auto:other", { model: "auto:other" }],
  ])("behavior: %s", (name, parts) => {
    expect(parseModelName(name)).toMatchObject({ asked: name, ...parts });
  });
});

describe("rankOffers", () => {
  const clock = createFakeClock();
  const rank = (offers: Offer[], mode: "balanced" | "cheap" | "fast" = "balanced", warm = 0, experience = createExperience(clock)) =>
    rankOffers(offers, { mode, nowMs: clock.now(), seenOf: experience.of, isWarm: (id) => id === warm }).map((ranked) => ranked.offer.id);

  test("behavior: among strangers the cheapest comes first, equal ones by age", () => {
    expect(rank([offer(1, 300n), offer(3, 100n), offer(2, 100n)])).toEqual([2, 3, 1]);
  });

  test("behavior: a fast one that costs more a second may cost less an answer", () => {
    const experience = createExperience(clock);
    experience.succeeded(1, { firstTokenMs: 2_000, tokensPerSecond: 10 });
    experience.succeeded(2, { firstTokenMs: 200, tokensPerSecond: 200 });
    expect(rank([offer(1, 100_000n), offer(2, 300_000n)], "cheap", 0, experience)).toEqual([2, 1]);
    expect(rank([offer(1, 100_000n), offer(2, 9_000_000n)], "cheap", 0, experience)).toEqual([1, 2]);
    expect(rank([offer(1, 100_000n), offer(2, 9_000_000n)], "fast", 0, experience)).toEqual([2, 1]);
  });

  test("behavior: own failures weigh more than bought history", () => {
    const experience = createExperience(clock);
    for (let count = 0; count < 10; count += 1)
      experience.remember(1, count < 8 ? undefined : { firstTokenMs: 1_500, tokensPerSecond: 30 });
    expect(rank([offer(1, 100_000n, { completions: 1_000_000n }), offer(2, 120_000n)], "cheap", 0, experience)).toEqual([2, 1]);
  });

  test("behavior: an open stream is kept for a small difference and left for a large one", () => {
    expect(rank([offer(1, 110_000n), offer(2, 100_000n)], "cheap", 1)).toEqual([1, 2]);
    expect(rank([offer(1, 140_000n), offer(2, 100_000n)], "cheap", 1)).toEqual([2, 1]);
  });

  test("behavior: who rests comes last, the soonest back first, and is never left out", async () => {
    const experience = createExperience(clock);
    experience.failed(1, "PROVIDER_FAILED");
    experience.busy(2, 1_000);
    expect(rank([offer(1, 1n), offer(2, 2n), offer(3, 900n)], "balanced", 0, experience)).toEqual([3, 2, 1]);
    await clock.tick(15_000);
    expect(rank([offer(1, 1n), offer(2, 2n), offer(3, 900n)], "balanced", 0, experience).at(-1)).not.toBe(1);
  });
});

describe("createExperience", () => {
  test("behavior: rests grow from 15 s to 300 s, and faults that come together are one", async () => {
    const clock = createFakeClock();
    const experience = createExperience(clock);
    const rests: number[] = [];
    for (let count = 0; count < 7; count += 1) {
      experience.failed(1, "PROVIDER_FAILED");
      experience.failed(1, "PROVIDER_FAILED");
      const rest = experience.of(1).coolUntilMs - clock.now();
      rests.push(rest / 1000);
      await clock.tick(rest);
    }
    expect(rests).toEqual([15, 30, 60, 120, 240, 300, 300]);
    experience.succeeded(1, { firstTokenMs: 10, tokensPerSecond: 5 });
    expect(experience.of(1)).toMatchObject({ inARow: 0, coolUntilMs: 0, answers: 1, failures: 14 });
  });

  test("behavior: lies and repeated truncations rest longest at once", () => {
    expect(cooldownMs(1, "PROVIDER_DISHONEST", 0)).toBe(300_000);
    expect(cooldownMs(1, "ANSWER_CUT", 3)).toBe(300_000);
    expect(cooldownMs(1, "ANSWER_CUT", 2)).toBe(15_000);
  });
});

describe("faults", () => {
  test.each([
    ["BAD_REQUEST", "client"],
    ["CONTEXT_TOO_LONG", "client"],
    ["UPSTREAM_REFUSED", "client"],
    ["BUSY", "busy"],
    ["STREAM_ENDED", "stale"],
    ["RUNWAY_TOO_SHORT", "stale"],
    ["BUDGET_EXCEEDED", "own"],
    ["CHAIN_UNAVAILABLE", "own"],
    ["STREAM_PAY_RATE_BELOW_PRICE", "offer"],
    ["DRAINING", "offer"],
    ["PROVIDER_TIMEOUT", "provider"],
    ["INSUFFICIENT_QUOTA", "provider"],
    ["ABORTED", "gone"],
  ])("behavior: %s is %s", (code, fault) => {
    expect(classify(new AppError(code, ""))).toBe(fault);
  });

  test("error: what a provider says of its money or chain is its own fault", () => {
    for (const code of ["BUDGET_EXCEEDED", "WALLET_UNFUNDED", "CHAIN_UNAVAILABLE", "INTERNAL"]) {
      expect(classify(saidByProvider(new AppError(code, "")))).toBe("provider");
    }
    expect(saidByProvider(new AppError("BUSY", "")).code).toBe("BUSY");
  });
});
