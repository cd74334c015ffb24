import { AppError, type Facts } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";

/** The chain's clock between blocks: money and proofs follow it, never the local one. */
export interface ChainTime {
  /** A block was seen; `timestampMs` is its own time. */
  observe(block: { readonly number: bigint; readonly timestampMs: number }): void;
  nowMs(): number;
  nowSeconds(): number;
  /** How long ago the newest block was seen. */
  lagMs(): number;
  isFresh(): boolean;
  /** The RPC endpoints contradict each other, or (undefined) agree again: whom to believe is not known, so nothing new is served. */
  distrust(disagreement: Facts | undefined): void;
  /** Throws CHAIN_STALE: without news of the chain nobody knows whether the money still flows. */
  assertFresh(): void;
}

/** Blocks that the estimate is made of. A block's news is late by an unknown time, so the least late one is right. */
const REMEMBERED = 20;

export function createChainTime({ clock, staleAfterMs }: { clock: Clock; staleAfterMs: number }): ChainTime {
  let offsets: number[] = [];
  let newest: bigint | undefined;
  let seenAt = Number.NEGATIVE_INFINITY;

  const lagMs = () => clock.now() - seenAt;
  let disagreement: Facts | undefined;
  const isFresh = () => disagreement === undefined && lagMs() <= staleAfterMs;
  const nowMs = () => {
    if (offsets.length === 0) throw new AppError("CHAIN_STALE", "No block of the chain has been seen yet.");
    return clock.now() + Math.max(...offsets);
  };
  return {
    observe: ({ number, timestampMs }) => {
      if (newest !== undefined && number === newest) return;
      newest = number;
      seenAt = clock.now();
      offsets = [...offsets, timestampMs - seenAt].slice(-REMEMBERED);
    },
    nowMs,
    nowSeconds: () => Math.floor(nowMs() / 1000),
    lagMs,
    isFresh,
    distrust: (next) => {
      disagreement = next;
    },
    assertFresh: () => {
      if (isFresh()) return;
      if (disagreement) {
        throw new AppError("CHAIN_STALE", "This provider's sources disagree about the chain.", {
          facts: disagreement,
          retryAfterSeconds: 5,
        });
      }
      throw new AppError("CHAIN_STALE", "This provider has had no news of the chain for too long.", {
        facts: { lagMs: Number.isFinite(lagMs()) ? lagMs() : null, staleAfterMs },
        retryAfterSeconds: 5,
      });
    },
  };
}
