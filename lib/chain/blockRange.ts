/** How many blocks to ask for at once: as many as the endpoint allows, found with few refusals. */
export interface BlockRange {
  readonly size: bigint;
  /** So many were answered. */
  accepted(size: bigint): void;
  /** So many were refused as too many. */
  refused(size: bigint): void;
  /** Asking failed, perhaps because it was too much. */
  failed(): void;
}

/** A refused size is not asked for again for this many answers; by then the blocks may be others, with fewer events. */
const REMEMBERED = 200;

export function createBlockRange(first = 1_000n, most = 10_000n): BlockRange {
  let size = first;
  let limit: bigint | undefined;
  let largest = 0n;
  let answers = 0;

  return {
    get size() {
      return size;
    },
    accepted: (asked) => {
      answers += 1;
      if (answers >= REMEMBERED) limit = undefined;
      // What was cut short at the head says nothing about more.
      if (asked < size) return;
      largest = asked;
      const next = limit === undefined ? size * 2n : (size + limit) / 2n;
      if (limit !== undefined && next - size <= size / 8n) return;
      size = next < most ? next : most;
    },
    refused: (asked) => {
      limit = asked;
      answers = 0;
      const half = asked / 2n > 1n ? asked / 2n : 1n;
      size = largest > half && largest < asked ? largest : half;
      largest = 0n;
    },
    failed: () => {
      size = size / 2n > 1n ? size / 2n : 1n;
    },
  };
}
