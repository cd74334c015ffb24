import { createHash } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { and, type Database, eq, isNull, lt, payReplays } from "@clawcompute/lib/store";

/** What a request is, for whoever asks it again: the same key must mean the same method, path, body and payer. */
export interface Asking {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** SHA-256 of the body. */
  readonly body: string;
  /** Proven, not claimed. */
  readonly payer: string;
}

export interface Kept {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Answers kept for a while, so that a retry is neither worked on nor paid for again. */
export interface Replays {
  /** The kept answer, or the right to make it. Throws IDEMPOTENCY_CONFLICT. */
  begin(asking: Asking): Promise<Kept | Claim>;
}

/** Neither fails: an answer that was paid for goes out also when the store takes nothing, and what it holds ends by itself. */
export interface Claim {
  /** What is too large is not kept: then a retry is a new request. */
  keep(kept: Kept): Promise<void>;
  release(): Promise<void>;
}

export const isKept = (found: Kept | Claim): found is Kept => "body" in found;

export const REPLAY_BYTES = 1_048_576;
const KEPT_MS = 600_000;

export function createReplays(db: Database, clock: Clock): Replays {
  const digest = (...parts: readonly string[]) => createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
  let purgedAtMs = clock.now();

  async function purge(nowMs: number): Promise<void> {
    if (nowMs - purgedAtMs < 60_000) return;
    purgedAtMs = nowMs;
    await db.delete(payReplays).where(lt(payReplays.expiresAtMs, nowMs));
  }

  return {
    begin: async ({ key: given, method, path, body, payer }) => {
      if (given.length === 0 || given.length > 255) {
        throw new AppError("BAD_REQUEST", "An idempotency key has 1 to 255 characters.", { param: "idempotency-key" });
      }
      const nowMs = clock.now();
      await purge(nowMs);
      const key = digest(payer, given);
      const fingerprint = digest(method, path, body, payer);
      const own = eq(payReplays.key, key);
      await db.delete(payReplays).where(and(own, lt(payReplays.expiresAtMs, nowMs)));
      const claimed = await db
        .insert(payReplays)
        .values({ key, fingerprint, expiresAtMs: nowMs + KEPT_MS })
        .onConflictDoNothing()
        .returning({ key: payReplays.key });
      if (claimed.length > 0) {
        const release = async () => {
          await db
            .delete(payReplays)
            .where(and(own, isNull(payReplays.status)))
            .catch(() => {});
        };
        return {
          release,
          keep: async (kept) => {
            if (kept.body.length > REPLAY_BYTES) await release();
            else await db.update(payReplays).set(kept).where(own).catch(release);
          },
        };
      }
      const [row] = await db.select().from(payReplays).where(own);
      if (row && row.fingerprint !== fingerprint) {
        throw new AppError("IDEMPOTENCY_CONFLICT", "This idempotency key was used for another request.", { param: "idempotency-key" });
      }
      if (row?.status == null || !row.body) {
        throw new AppError("IDEMPOTENCY_CONFLICT", "The same request is being answered already.", {
          param: "idempotency-key",
          retryAfterSeconds: 2,
          hint: "Wait for its answer, or ask again in a moment for the kept one.",
        });
      }
      return { status: row.status, headers: row.headers ?? {}, body: row.body };
    },
  };
}
