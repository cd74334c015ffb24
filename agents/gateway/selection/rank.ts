import type { Offer } from "@clawcompute/lib/chain";
import type { Seen } from "./experience.ts";
import type { ChoiceMode } from "./modelName.ts";

/** One offer as it was weighed. Lower scores are better. */
export interface Ranked {
  readonly offer: Offer;
  readonly score: number;
  /** Share of good answers to expect, own experience first, the chain's history as weak evidence. */
  readonly success: number;
  /** For an answer of usual length, in seconds. */
  readonly expectedSeconds: number;
  /** What such an answer costs, failures included. Raw units; for weighing and showing only. */
  readonly expectedWei: bigint;
  /** Money is ready there: no opening, no waiting for a block. */
  readonly warm: boolean;
  readonly cooling: boolean;
  readonly seen: Seen;
}

/** Of an answer of usual length. */
const USUAL_TOKENS = 300;
const UNKNOWN_FIRST_TOKEN_MS = 1_500;
const UNKNOWN_TOKENS_PER_SECOND = 30;
/** Own answers after which own experience counts as much as the prior. */
const PRIOR_WEIGHT = 4;
/** A warm provider is left only for one that is this much better. */
const HYSTERESIS = 0.8;

export interface RankOptions {
  readonly mode: ChoiceMode;
  readonly nowMs: number;
  readonly seenOf: (providerId: number) => Seen;
  readonly isWarm: (providerId: number) => boolean;
}

/** Best first; those that are cooling down come last, the soonest ready first, so that a last resort is always there. */
export function rankOffers(offers: readonly Offer[], { mode, nowMs, seenOf, isWarm }: RankOptions): Ranked[] {
  const ranked = offers.map((offer): Ranked => {
    const seen = seenOf(offer.id);
    const success = expectedSuccess(offer, seen);
    const expectedSeconds = usualSeconds(seen);
    const expectedWei = (offer.pricePerSecond * BigInt(Math.ceil((expectedSeconds * 1000) / success))) / 1000n;
    const warm = isWarm(offer.id);
    const score = scoreOf(mode, Number(expectedWei), expectedSeconds / success) * (warm ? HYSTERESIS : 1);
    return { offer, score, success, expectedSeconds, expectedWei, warm, cooling: seen.coolUntilMs > nowMs, seen };
  });
  return ranked.sort((a, b) => {
    if (a.cooling !== b.cooling) return a.cooling ? 1 : -1;
    if (a.cooling) return a.seen.coolUntilMs - b.seen.coolUntilMs || a.score - b.score;
    return a.score - b.score || Number(a.offer.pricePerSecond - b.offer.pricePerSecond) || a.offer.id - b.offer.id;
  });
}

/** For an answer of usual length, by what was seen. */
export const usualSeconds = ({ firstTokenMs, tokensPerSecond }: Seen): number =>
  (firstTokenMs ?? UNKNOWN_FIRST_TOKEN_MS) / 1000 + USUAL_TOKENS / Math.max(0.1, tokensPerSecond ?? UNKNOWN_TOKENS_PER_SECOND);

/** Costs and seconds are multiplied, never added, so that no unit has to be traded for another one. */
function scoreOf(mode: ChoiceMode, wei: number, seconds: number): number {
  if (mode === "cheap") return wei;
  if (mode === "fast") return seconds;
  return wei ** 0.7 * seconds ** 0.3;
}

/** Completions can be bought by trading with oneself: they lift a stranger by a few hundredths and no more. */
function expectedSuccess({ completions }: Offer, { success, answers, failures }: Seen): number {
  const count = Number(completions < 1_000n ? completions : 1_000n);
  const prior = 0.9 + (0.05 * count) / (count + 20);
  const weight = Math.min(answers + failures, 20);
  const own = success ?? prior;
  return Math.max(0.05, (own * weight + prior * PRIOR_WEIGHT) / (weight + PRIOR_WEIGHT));
}
