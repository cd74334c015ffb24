/** Local time and waiting, passed in so that tests tick by hand. */
export interface PayerClock {
  /** Unix time in ms. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Time in which anything runs; what overlaps counts once. */
export interface Stopwatch {
  readonly running: number;
  busyMs(): number;
  /** The returned function stops this run, once. */
  start(): () => void;
}

export function createStopwatch(clock: Pick<PayerClock, "now">): Stopwatch {
  let running = 0;
  let sinceMs = 0;
  let doneMs = 0;
  return {
    get running() {
      return running;
    },
    busyMs: () => doneMs + (running > 0 ? clock.now() - sinceMs : 0),
    start: () => {
      if (running === 0) sinceMs = clock.now();
      running += 1;
      let open = true;
      return () => {
        if (!open) return;
        open = false;
        running -= 1;
        if (running === 0) doneMs += clock.now() - sinceMs;
      };
    },
  };
}
