import { formatAmount } from "@clawcompute/lib/money";
import { type Asset, inWords } from "../asset.ts";
import type { Ranked } from "../selection/rank.ts";

/** A ranking for people and for the store, best first. */
export function explainChoice(ranked: readonly Ranked[], asset: Asset) {
  return ranked.slice(0, 10).map(({ offer, score, success, expectedSeconds, expectedWei, warm, cooling, seen }, index) => ({
    place: index + 1,
    providerId: offer.id,
    model: offer.model,
    pricePerSecond: inWords(asset, offer.pricePerSecond),
    pricePerSecondWei: String(offer.pricePerSecond),
    expectedCostWei: String(expectedWei),
    expectedCost: formatAmount(expectedWei, asset.decimals),
    expectedSeconds: round(expectedSeconds),
    success: round(success),
    firstTokenMs: seen.firstTokenMs === undefined ? null : Math.round(seen.firstTokenMs),
    tokensPerSecond: seen.tokensPerSecond === undefined ? null : round(seen.tokensPerSecond),
    ownAnswers: seen.answers,
    ownFailures: seen.failures,
    lastFailure: seen.lastFailure ?? null,
    openStream: warm,
    coolingUntil: cooling ? new Date(seen.coolUntilMs).toISOString() : null,
    score: Number(score.toPrecision(4)),
  }));
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
