import type { IncomingMessage } from "node:http";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { and, asc, type Database, eq, gt, indexerProbes, indexerProviders, sql } from "@clawcompute/lib/store";

export interface ProbeOptions {
  readonly db: Database;
  readonly chainId: number;
  /** Asks a stranger's URL; private addresses are refused there. */
  readonly request: (url: URL, options: { method: string; headersMs: number; signal: AbortSignal }) => Promise<IncomingMessage>;
  readonly clock: Clock;
  /** A provider is not probed more often. */
  readonly everyMs: number;
  /** Most probes in one round. */
  readonly atOnce: number;
}

const ANSWER_MS = 5_000;

/**
 * Probes active offers in the order of their ids, `atOnce` a round, over and over but no provider more often than `everyMs`. Whether an
 * endpoint answers GET /health with success is all that is kept; what it says is not read.
 */
export function createProber({ db, chainId, request, clock, everyMs, atOnce }: ProbeOptions): (signal: AbortSignal) => Promise<number> {
  let after = 0;
  let cycleFrom = Number.NEGATIVE_INFINITY;

  return async (signal) => {
    if (after === 0) {
      if (clock.now() - cycleFrom < everyMs) return 0;
      cycleFrom = clock.now();
    }
    const { id, endpoint, active } = indexerProviders;
    const due = await db
      .select({ id, endpoint })
      .from(indexerProviders)
      .where(and(eq(indexerProviders.chainId, chainId), eq(active, true), gt(id, after)))
      .orderBy(asc(id))
      .limit(atOnce);
    after = due.length < atOnce ? 0 : (due.at(-1)?.id ?? 0);
    await Promise.all(due.map(async (offer) => save(offer.id, await probe(offer.endpoint, signal))));
    return due.length;
  };

  async function probe(endpoint: string, signal: AbortSignal): Promise<{ ok: boolean; ms: number; reason: string | null }> {
    const started = clock.now();
    try {
      if (!URL.canParse(endpoint)) return { ok: false, ms: 0, reason: "NOT_A_URL" };
      const url = new URL(endpoint);
      url.pathname = `${url.pathname.replace(/\/+$/, "")}/health`;
      const limit = AbortSignal.any([signal, AbortSignal.timeout(2 * ANSWER_MS)]);
      const response = await request(url, { method: "GET", headersMs: ANSWER_MS, signal: limit });
      response.destroy();
      const status = response.statusCode ?? 0;
      return {
        ok: status >= 200 && status < 300,
        ms: clock.now() - started,
        reason: status >= 200 && status < 300 ? null : `HTTP_${status}`,
      };
    } catch (thrown) {
      return { ok: false, ms: clock.now() - started, reason: AppError.from(thrown).code };
    }
  }

  async function save(providerId: number, { ok, ms, reason }: { ok: boolean; ms: number; reason: string | null }): Promise<void> {
    const now = clock.now();
    const [answered, latencyMs] = ok ? [1, Math.max(0, Math.round(ms))] : [0, 0];
    const last = { lastAtMs: now, lastOk: ok, lastReason: reason };
    await db
      .insert(indexerProbes)
      .values({ chainId, providerId, day: Math.floor(now / 86_400_000), probes: 1, answered, latencyMs, ...last })
      .onConflictDoUpdate({
        target: [indexerProbes.chainId, indexerProbes.providerId, indexerProbes.day],
        set: {
          probes: sql`${indexerProbes.probes} + 1`,
          answered: sql`${indexerProbes.answered} + ${answered}::bigint`,
          latencyMs: sql`${indexerProbes.latencyMs} + ${latencyMs}::bigint`,
          ...last,
        },
      });
  }
}
