import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";

/** Places for answers of one offer: some run, a few wait, the rest is sent away at once. */
export interface Capacity {
  readonly size: number;
  free(): number;
  /** Over all replicas; throws what the store throws. Undefined: this process is alone. */
  readonly freeEverywhere?: () => Promise<number>;
  running(): number;
  /** Waits for a place. Throws BUSY, or the signal's reason. The returned function gives the place back. */
  take(streamId: bigint, signal: AbortSignal): Promise<() => void>;
}

export interface CapacityOptions {
  readonly size: number;
  /** Answers of one stream that run or wait at once: one payer cannot fill the place. */
  readonly perStream: number;
  readonly queueLength: number;
  readonly queueMs: number;
  readonly clock: Clock;
}

export function createCapacity({ size, perStream, queueLength, queueMs, clock }: CapacityOptions): Capacity {
  const byStream = new Map<bigint, number>();
  const waiting: { grant: () => void }[] = [];
  let running = 0;

  const busy = (reason: string, retryAfterSeconds: number) =>
    new AppError("BUSY", reason, { facts: { running, capacity: size, waiting: waiting.length }, retryAfterSeconds });

  function giveBack(streamId: bigint): void {
    const left = (byStream.get(streamId) ?? 1) - 1;
    if (left > 0) byStream.set(streamId, left);
    else byStream.delete(streamId);
  }

  function release(): void {
    const next = waiting.shift();
    if (next) next.grant();
    else running -= 1;
  }

  async function wait(signal: AbortSignal): Promise<void> {
    if (waiting.length >= queueLength) throw busy("All places of this model are taken.", 2);
    const over = new AbortController();
    const entry = { grant: () => {} };
    const granted = new Promise<void>((resolve) => {
      entry.grant = resolve;
    });
    waiting.push(entry);
    const limit = clock.sleep(queueMs, AbortSignal.any([signal, over.signal])).catch(() => {});
    await Promise.race([granted, limit]);
    over.abort();
    const at = waiting.indexOf(entry);
    if (at >= 0) waiting.splice(at, 1);
    else if (signal.aborted) release();
    signal.throwIfAborted();
    if (at >= 0) throw busy("No place of this model became free in time.", 5);
  }

  return {
    size,
    free: () => Math.max(0, size - running),
    running: () => running,
    take: async (streamId, signal) => {
      const own = byStream.get(streamId) ?? 0;
      if (own >= perStream) throw busy("This stream has as many answers under way as it may.", 1);
      byStream.set(streamId, own + 1);
      try {
        if (running < size) running += 1;
        else await wait(signal);
      } catch (thrown) {
        giveBack(streamId);
        throw thrown;
      }
      let given = false;
      return () => {
        if (given) return;
        given = true;
        giveBack(streamId);
        release();
      };
    },
  };
}
