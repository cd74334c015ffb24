import type { Logger } from "./logger.ts";

/** Ordered stopping of a process: the first signal drains, the second one exits at once. */
export interface Shutdown {
  /** Aborts when stopping starts; pass it to loops and servers. */
  readonly signal: AbortSignal;
  /** Called in reverse order of registration, once. */
  onStop(name: string, stop: () => Promise<void> | void): void;
  stop(reason: string): Promise<void>;
}

export function createShutdown(logger: Logger, stopWithinMs = 60_000): Shutdown {
  const controller = new AbortController();
  const steps: { name: string; stop: () => Promise<void> | void }[] = [];
  let running: Promise<void> | undefined;

  const run = async (reason: string) => {
    logger.info({ reason }, "stopping");
    controller.abort(new DOMException(`stopping: ${reason}`, "AbortError"));
    for (const { name, stop } of steps.reverse()) {
      try {
        await withLimit(Promise.resolve(stop()), stopWithinMs);
      } catch (err) {
        logger.error({ err, step: name }, "a part did not stop cleanly");
      }
    }
  };

  return {
    signal: controller.signal,
    onStop: (name, stop) => steps.push({ name, stop }),
    stop: (reason) => (running ??= run(reason)),
  };
}

/** Connects SIGINT and SIGTERM: first one drains and exits 0, the second exits 130. For entry points only. */
export function exitOnSignals(shutdown: Shutdown, proc: NodeJS.Process = process): void {
  let signals = 0;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    proc.on(name, () => {
      signals += 1;
      if (signals > 1) proc.exit(130);
      shutdown.stop(name).then(() => proc.exit(0));
    });
  }
}

function withLimit(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not stopped within ${ms} ms`)), ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
