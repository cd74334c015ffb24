import type { Clock, Logger } from "@clawcompute/lib/node";
import { storeError } from "@clawcompute/lib/store";

/** Writes in order, beside everything else; what the database cannot take now is tried again. */
export interface WriteQueue {
  add(what: string, write: () => Promise<unknown>): void;
  /** Resolves when everything so far is written or was given up. */
  flush(): Promise<void>;
}

const RETRY_MS = 1_000;
const MOST_TRIES = 60;

export function createWriteQueue({ clock, logger }: { clock: Clock; logger: Logger }): WriteQueue {
  let last: Promise<void> = Promise.resolve();

  async function run(what: string, write: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await write();
        return;
      } catch (thrown) {
        const error = storeError(thrown);
        if (!error.retryable || tries >= MOST_TRIES) {
          logger.error({ err: error, what }, "could not be kept");
          return;
        }
        await clock.sleep(RETRY_MS);
      }
    }
  }

  return {
    add: (what, write) => {
      last = last.then(() => run(what, write));
    },
    flush: () => last,
  };
}
