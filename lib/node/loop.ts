import { AppError } from "../errors/index.ts";
import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Waits grow up to this after failures. Default 30 s. */
  readonly maxBackoffMs?: number;
}

/**
 * Runs `step` again and again until the signal aborts; never two at a time, never dies of an error. Resolves when stopped.
 * A failing step is logged and tried again after a growing wait.
 */
export async function runLoop(options: LoopOptions, step: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { name, everyMs, clock, signal, logger, maxBackoffMs = 30_000 } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await step(signal);
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      const error = AppError.from(thrown);
      logger[error.alert ? "error" : "warn"]({ loop: name, failures, code: error.code, err: thrown }, "loop step failed");
    }
    const wait = failures === 0 ? everyMs : Math.min(maxBackoffMs, everyMs * 2 ** Math.min(failures, 10));
    await clock.sleep(wait, signal).catch(() => {});
  }
}
