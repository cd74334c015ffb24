import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import type { AnswerLimits } from "./answer.ts";

/** Seconds of runway at which the caller is told. */
const WARN_AT = [120, 30, 10] as const;
const TICK_MS = 1000;

export interface AnswerWatch {
  /** The engine's turn begins. */
  waiting(): void;
  /** The engine's turn is over; a caller who reads slowly is not the engine's fault. */
  received(): void;
  firstToken(): void;
  delivered(): void;
  end(): void;
}

/** The second hand beside an answer: money, deadlines, signs of life. */
export function watchAnswer(options: {
  readonly clock: Clock;
  readonly limits: Omit<AnswerLimits, "wholeMs" | "blindMs">;
  readonly startedAtMs: number;
  readonly runwayMs: () => number;
  readonly onRunwayOver: () => void;
  readonly onSilent: (failure: AppError) => void;
  readonly comment: (text: string) => void;
  readonly alive: () => void;
  /** At least once a second. */
  readonly onTick: () => void;
}): AnswerWatch {
  const { clock, limits, startedAtMs, runwayMs, onRunwayOver, onSilent, comment, alive, onTick } = options;
  const over = new AbortController();
  let waitingSince: number | undefined = startedAtMs;
  let hasToken = false;
  let spokeAt = startedAtMs;
  let warnedAt = Number.POSITIVE_INFINITY;

  const deadline = () => {
    if (waitingSince === undefined) return undefined;
    return hasToken ? waitingSince + limits.stallMs : startedAtMs + limits.firstTokenMs;
  };

  function look(now: number): boolean {
    const runway = runwayMs();
    if (runway <= 0) {
      onRunwayOver();
      return false;
    }
    const until = deadline();
    if (until !== undefined && now >= until) {
      const limitMs = hasToken ? limits.stallMs : limits.firstTokenMs;
      const what = hasToken ? "was silent in the middle of the answer" : "produced no token";
      onSilent(new AppError("UPSTREAM_TIMEOUT", `The model ${what} for ${limitMs / 1000} s.`, { facts: { limitMs } }));
      return false;
    }
    const crossed = WARN_AT.filter((seconds) => runway <= seconds * 1000 && seconds < warnedAt);
    if (crossed.length > 0) {
      warnedAt = Math.min(...crossed);
      comment(`runway ${Math.ceil(runway / 1000)} s`);
    }
    if (now - spokeAt >= limits.heartbeatMs) {
      alive();
      spokeAt = now;
    }
    onTick();
    return true;
  }

  async function run(): Promise<void> {
    while (!over.signal.aborted && look(clock.now())) {
      const now = clock.now();
      const next = Math.min(TICK_MS, runwayMs(), (deadline() ?? Number.POSITIVE_INFINITY) - now);
      await clock.sleep(Math.max(1, next), over.signal).catch(() => {});
    }
  }
  void run();

  return {
    waiting: () => {
      waitingSince = clock.now();
    },
    received: () => {
      waitingSince = undefined;
    },
    firstToken: () => {
      hasToken = true;
    },
    delivered: () => {
      spokeAt = clock.now();
    },
    end: () => over.abort("over"),
  };
}
