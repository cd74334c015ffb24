import { type Database, eq, indexerHeads, storeError } from "@clawcompute/lib/store";

export interface Head {
  /** Changes with everything that is written. */
  readonly version: number;
  readonly blockNumber: number;
  /** Chain time in unix seconds. */
  readonly at: number;
  readonly rollbacks: number;
}

/** How far the store is, as far as this process knows; the same for the writer and for those that only read. */
export interface HeadTracker {
  current(): Head;
  /** Looks again. Throws STORE_UNAVAILABLE. */
  refresh(): Promise<Head>;
  /** Resolves when the head is another one than `version`, or rejects when the signal aborts. */
  after(version: number, signal: AbortSignal): Promise<Head>;
}

export function trackHead(db: Database, chainId: number): HeadTracker {
  let head: Head = { version: -1, blockNumber: -1, at: 0, rollbacks: 0 };
  let wake = () => {};
  let changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let reading: Promise<Head> | undefined;

  async function read(): Promise<Head> {
    try {
      const [row] = await db.select().from(indexerHeads).where(eq(indexerHeads.chainId, chainId));
      if (row && row.version > head.version) {
        head = { version: row.version, blockNumber: row.blockNumber, at: row.at, rollbacks: row.rollbacks };
        wake();
        changed = new Promise((resolve) => {
          wake = resolve;
        });
      }
      return head;
    } catch (thrown) {
      throw storeError(thrown);
    }
  }

  return {
    current: () => head,
    refresh: () => {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    after: async (version, signal) => {
      while (head.version === version) {
        signal.throwIfAborted();
        let onAbort = () => {};
        const aborted = new Promise<never>((_, reject) => {
          onAbort = () => reject(signal.reason);
          signal.addEventListener("abort", onAbort, { once: true });
        });
        await Promise.race([changed, aborted]).finally(() => signal.removeEventListener("abort", onAbort));
      }
      return head;
    },
  };
}
