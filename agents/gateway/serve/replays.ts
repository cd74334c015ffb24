import { createHash } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { type Broadcast, createBroadcast, type RouteContext } from "./broadcast.ts";

/**
 * P8 for retries: a client that sends the same request again, and says so by a key or by its retry count, gets the answer that is
 * under way or was just given, and pays once. Without such a mark two equal requests are two requests.
 */
export interface Replays {
  /** The broadcast to join, and whether it is new and has to be filled. Throws IDEMPOTENCY_CONFLICT. */
  open(c: RouteContext, client: string, body: string): { readonly broadcast: Broadcast; readonly isNew: boolean };
}

interface Entry {
  readonly digest: string;
  readonly broadcast: Broadcast;
  readonly expiresAtMs: number;
}

export const REPLAY_WINDOW_MS = 120_000;
const MOST_ENTRIES = 256;

export function createReplays(clock: Clock): Replays {
  const entries = new Map<string, Entry>();

  function forget(): void {
    const now = clock.now();
    for (const [key, { expiresAtMs }] of entries) {
      if (expiresAtMs <= now || entries.size > MOST_ENTRIES) entries.delete(key);
      else break;
    }
  }

  return {
    open: (c, client, body) => {
      const given = c.req.header("idempotency-key");
      const retry = c.req.header("x-stainless-retry-count");
      const digest = createHash("sha256").update(`${c.req.path}\n${body}`).digest("base64url");
      const key =
        given !== undefined ? `${client}\nkey ${given.slice(0, 256)}` : retry !== undefined ? `${client}\nbody ${digest}` : undefined;
      const isRetry = given !== undefined || Number(retry ?? 0) > 0;
      forget();
      const known = key === undefined ? undefined : entries.get(key);
      if (known && given !== undefined && known.digest !== digest) {
        throw new AppError("IDEMPOTENCY_CONFLICT", "This idempotency key was used for another request.", { param: "idempotency-key" });
      }
      // One that nobody waited for any more was stopped half-way; one that failed may be tried again.
      const usable = known && isRetry && known.broadcast.canReplay && !known.broadcast.abandoned.aborted;
      if (known && usable) return { broadcast: known.broadcast, isNew: false };
      const broadcast = createBroadcast({ record: key !== undefined, now: clock.now });
      if (key !== undefined) {
        entries.delete(key);
        entries.set(key, { digest, broadcast, expiresAtMs: clock.now() + REPLAY_WINDOW_MS });
      }
      return { broadcast, isNew: true };
    },
  };
}
