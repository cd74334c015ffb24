import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";

/** A fixed number of places to work in, first come first served. */
export interface Slots {
  /** Resolves with the call that gives the place back. Throws BUSY when the line is full or the wait too long. */
  take(signal: AbortSignal): Promise<() => void>;
}

export interface SlotLimits {
  readonly places: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

export function createSlots({ places, maxWaiting, maxWaitMs }: SlotLimits, clock: Clock): Slots {
  let free = places;
  const line: (() => void)[] = [];

  function release() {
    const next = line.shift();
    if (next) next();
    else free++;
  }
  const handOut = () => {
    let held = true;
    return () => {
      if (held) release();
      held = false;
    };
  };
  const busy = () =>
    new AppError("BUSY", "All places of this model are taken.", {
      facts: { places, waiting: line.length },
      retryAfterSeconds: Math.max(1, Math.ceil(maxWaitMs / 1000)),
    });

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return handOut();
      }
      if (line.length >= maxWaiting) throw busy();
      const over = new AbortController();
      return await new Promise<() => void>((resolve, reject) => {
        const turn = () => {
          over.abort();
          resolve(handOut());
        };
        line.push(turn);
        const leave = (reason: unknown) => {
          const at = line.indexOf(turn);
          if (at < 0) return;
          line.splice(at, 1);
          over.abort();
          reject(reason);
        };
        clock.sleep(maxWaitMs, AbortSignal.any([signal, over.signal])).then(
          () => leave(busy()),
          () => {
            if (signal.aborted) leave(signal.reason);
          },
        );
      });
    },
  };
}
