import type { Clock } from "@clawcompute/lib/node";

/** What this gateway has seen of one provider. */
export interface Seen {
  readonly answers: number;
  readonly failures: number;
  /** Share of good answers, the latest counting most; undefined while there is none. */
  readonly success: number | undefined;
  readonly firstTokenMs: number | undefined;
  readonly tokensPerSecond: number | undefined;
  /** Failures since the last good answer. */
  readonly inARow: number;
  /** Not chosen before this time unless nobody else is left; 0 when it is in good standing. */
  readonly coolUntilMs: number;
  readonly lastFailure: string | undefined;
}

export interface GoodAnswer {
  readonly firstTokenMs: number | undefined;
  readonly tokensPerSecond: number | undefined;
}

export interface Experience {
  of(providerId: number): Seen;
  succeeded(providerId: number, answer: GoodAnswer): void;
  /** `code` of a fault that is the provider's own; client faults are never reported here. */
  failed(providerId: number, code: string): void;
  /** What an earlier run saw: a good answer, or undefined for a fault. Nobody is sent away for it again. */
  remember(providerId: number, answer: GoodAnswer | undefined): void;
  /** It has no room now: no fault. */
  busy(providerId: number, retryAfterMs: number): void;
}

const nothing: Seen = {
  answers: 0,
  failures: 0,
  success: undefined,
  firstTokenMs: undefined,
  tokensPerSecond: undefined,
  inARow: 0,
  coolUntilMs: 0,
  lastFailure: undefined,
};

const FIRST_COOLDOWN_MS = 15_000;
const LONGEST_COOLDOWN_MS = 300_000;
const TRUNCATIONS_FOR_LONGEST = 3;
/** Weight of the newest observation: about the last ten count. */
const NEWEST = 0.2;

export const cooldownMs = (inARow: number, code: string, truncations: number): number => {
  if (code === "PROVIDER_DISHONEST" || truncations >= TRUNCATIONS_FOR_LONGEST) return LONGEST_COOLDOWN_MS;
  return Math.min(LONGEST_COOLDOWN_MS, FIRST_COOLDOWN_MS * 2 ** Math.min(10, Math.max(0, inARow - 1)));
};

export function createExperience(clock: Clock): Experience {
  const seen = new Map<number, Seen>();
  const truncations = new Map<number, number>();
  const of = (id: number) => seen.get(id) ?? nothing;
  const blend = (old: number | undefined, now: number | undefined) =>
    now === undefined ? old : old === undefined ? now : old + NEWEST * (now - old);

  return {
    of,
    succeeded: (id, { firstTokenMs, tokensPerSecond }) => {
      const before = of(id);
      truncations.delete(id);
      seen.set(id, {
        ...before,
        answers: before.answers + 1,
        success: blend(before.success, 1),
        firstTokenMs: blend(before.firstTokenMs, firstTokenMs),
        tokensPerSecond: blend(before.tokensPerSecond, tokensPerSecond),
        inARow: 0,
        coolUntilMs: 0,
      });
    },
    failed: (id, code) => {
      const before = of(id);
      // Requests that fail together are one event: only what fails after the cooldown began anew makes it longer.
      const inARow = before.coolUntilMs > clock.now() && before.inARow > 0 ? before.inARow : before.inARow + 1;
      const cut = (truncations.get(id) ?? 0) + (code === "ANSWER_CUT" ? 1 : 0);
      truncations.set(id, cut);
      seen.set(id, {
        ...before,
        failures: before.failures + 1,
        success: blend(before.success ?? 1, 0),
        inARow,
        coolUntilMs: Math.max(before.coolUntilMs, clock.now() + cooldownMs(inARow, code, cut)),
        lastFailure: code,
      });
    },
    remember: (id, answer) => {
      const before = of(id);
      seen.set(id, {
        ...before,
        answers: before.answers + (answer ? 1 : 0),
        failures: before.failures + (answer ? 0 : 1),
        success: blend(before.success ?? (answer ? undefined : 1), answer ? 1 : 0),
        firstTokenMs: blend(before.firstTokenMs, answer?.firstTokenMs),
        tokensPerSecond: blend(before.tokensPerSecond, answer?.tokensPerSecond),
      });
    },
    busy: (id, retryAfterMs) => {
      const before = of(id);
      seen.set(id, { ...before, coolUntilMs: Math.max(before.coolUntilMs, clock.now() + retryAfterMs), lastFailure: "BUSY" });
    },
  };
}
