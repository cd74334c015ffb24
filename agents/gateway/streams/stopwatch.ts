import type { Clock } from "@clawcompute/lib/node";

/** Time in which anything runs; what overlaps counts once. */
export interface Stopwatch {
  readonly running: number;
  busyMs(): number;
  /** The returned function stops this run, once. */
  start(): () => void;
}

export function createStopwatch(clock: Clock): Stopwatch {
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
