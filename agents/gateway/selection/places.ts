import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";

/**
 * How many requests of this gateway each provider takes at once, as its refusals teach. The others wait here, first come first served:
 * a provider says no to what is too much at once, it does not say when there is room again.
 */
export interface Places {
  /** A request would have to wait. */
  isFull(providerId: number): boolean;
  /** Waits for a place until `deadlineMs` of the clock. Throws BUSY, or the signal's reason. */
  take(providerId: number, deadlineMs: number, signal: AbortSignal): Promise<Place>;
}

export interface Place {
  /** The request is over; once. */
  release(): void;
  /** The provider refused it for want of room, or because requests came too fast. Releases the place too. */
  refused(error: AppError): void;
}

interface Known {
  running: number;
  /** Undefined: never refused. */
  limit: number | undefined;
  refusedAtMs: number;
  pausedUntilMs: number;
  readonly waiting: Set<() => void>;
}

/** A limit was true when it was learned; one more is tried each time this has passed. */
const GROW_AFTER_MS = 5_000;
const LONGEST_PAUSE_MS = 2_000;
const MOST_WAITING = 1_000;

export function createPlaces(clock: Clock): Places {
  const byProvider = new Map<number, Known>();

  function of(id: number): Known {
    const found = byProvider.get(id);
    if (found) return found;
    const fresh: Known = { running: 0, limit: undefined, refusedAtMs: 0, pausedUntilMs: 0, waiting: new Set() };
    byProvider.set(id, fresh);
    return fresh;
  }

  function hasRoom({ running, limit, refusedAtMs, pausedUntilMs }: Known): boolean {
    if (clock.now() < pausedUntilMs) return false;
    return limit === undefined || running < limit + Math.floor((clock.now() - refusedAtMs) / GROW_AFTER_MS);
  }

  function wake(known: Known): void {
    for (const go of [...known.waiting]) {
      if (!hasRoom(known)) return;
      known.waiting.delete(go);
      known.running += 1;
      go();
    }
  }

  function placeOf(known: Known): Place {
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      known.running -= 1;
      wake(known);
    };
    return {
      release,
      refused: ({ code, retryAfterSeconds = 1 }) => {
        if (held) {
          const others = known.running - 1;
          known.refusedAtMs = clock.now();
          if (code !== "RATE_LIMITED" && others > 0) known.limit = Math.min(known.limit ?? others, others);
          else {
            // It is full of others' requests, or counts by time: only time helps.
            const pauseMs = Math.min(LONGEST_PAUSE_MS, retryAfterSeconds * 1000);
            known.pausedUntilMs = Math.max(known.pausedUntilMs, clock.now() + pauseMs);
            void clock.sleep(pauseMs).then(() => wake(known));
          }
        }
        release();
      },
    };
  }

  return {
    isFull: (id) => {
      const known = of(id);
      return known.waiting.size > 0 || !hasRoom(known);
    },
    take: async (id, deadlineMs, signal) => {
      signal.throwIfAborted();
      const known = of(id);
      if (known.waiting.size === 0 && hasRoom(known)) {
        known.running += 1;
        return placeOf(known);
      }
      const full = () =>
        new AppError("BUSY", `Provider ${id} takes no more requests now.`, { facts: { providerId: id }, retryAfterSeconds: 2 });
      if (known.waiting.size >= MOST_WAITING || clock.now() >= deadlineMs) throw full();
      const over = new AbortController();
      let go = () => {};
      const granted = new Promise<true>((resolve) => {
        go = () => resolve(true);
      });
      known.waiting.add(go);
      const late = clock.sleep(deadlineMs - clock.now(), AbortSignal.any([signal, over.signal])).then(
        () => false as const,
        () => false as const,
      );
      const isGranted = await Promise.race([granted, late]);
      over.abort();
      if (isGranted) {
        const place = placeOf(known);
        if (signal.aborted) place.release();
        signal.throwIfAborted();
        return place;
      }
      if (!known.waiting.delete(go)) placeOf(known).release();
      signal.throwIfAborted();
      throw full();
    },
  };
}
