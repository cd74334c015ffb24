import type { Clock } from "../node/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on and wakes, in order, every sleeper whose time has come. Lets promise callbacks run in between. */
  tick(ms: number): Promise<void>;
  /** How many sleeps are under way. */
  sleepers(): number;
}

/** A clock that stands still until it is ticked. */
export function createFakeClock(startMs = 1_800_000_000_000): FakeClock {
  let now = startMs;
  const waiting = new Set<{ at: number; wake: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  return {
    now: () => now,
    sleepers: () => waiting.size,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const entry = { at: now + ms, wake: resolve };
        waiting.add(entry);
        signal?.addEventListener(
          "abort",
          () => {
            waiting.delete(entry);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
    tick: async (ms) => {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = [...waiting].filter((entry) => entry.at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        waiting.delete(next);
        now = Math.max(now, next.at);
        next.wake();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}
