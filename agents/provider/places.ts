import { randomUUID } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { type Clock, type Logger, runLoop } from "@clawcompute/lib/node";
import { and, count, type Database, eq, gt, inArray, places, sql } from "@clawcompute/lib/store";
import type { Capacity, CapacityOptions } from "./capacity.ts";

/** Places counted in the store, for replicas that serve the same offers. */
export interface Places {
  /** One offer's capacity, counted over all replicas; `local` bounds and queues those of this process. */
  share(local: Capacity, options: Omit<CapacityOptions, "queueLength">, providerId: () => number): Capacity;
  /** Keeps the places of this process until the signal aborts. Those of a replica that died are free after the lease. */
  keep(signal: AbortSignal): Promise<void>;
}

export const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** How often a request that waits looks for a place that another replica gave back. */
const LOOK_MS = 50;
/** A place is given back beside the answer's last byte: whoever asks again at once need not be sent away. */
const GRACE_MS = 500;

/** Leases are the store's: one clock for all replicas. */
const nowInStore = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

type Taken = "taken" | "stream" | "offer" | "settled";

export function createPlaces({ db, chainId, clock, logger }: { db: Database; chainId: number; clock: Clock; logger: Logger }): Places {
  const held = new Set<string>();

  async function tryTake(id: string, streamId: bigint, providerId: number, size: number, perStream: number): Promise<Taken> {
    const [row] = await db
      .select({
        taken: sql<Taken>`take_place(${id}, ${chainId}::int, ${providerId}::int, ${String(streamId)}::numeric, ${size}::int, ${perStream}::int, ${LEASE_MS}::bigint)`,
      })
      .from(sql`(select 1) as one`);
    return row?.taken ?? "offer";
  }

  function giveBack(id: string): void {
    held.delete(id);
    db.execute(
      sql`with quick as materialized (select set_config('synchronous_commit', 'off', true))
        delete from places using quick where id = ${id}`,
    )
      // It is free when its lease is over.
      .catch((err) => logger.warn({ err }, "a place could not be given back at once"));
  }

  return {
    share: (local, { size, perStream, queueMs, clock }, providerId) => ({
      ...local,
      freeEverywhere: async () => {
        const [row] = await db
          .select({ taken: count() })
          .from(places)
          .where(and(eq(places.chainId, chainId), eq(places.providerId, providerId()), gt(places.expiresAtMs, nowInStore)));
        return Math.max(0, size - (row?.taken ?? 0));
      },
      take: async (streamId, signal) => {
        const askedAtMs = clock.now();
        const release = await local.take(streamId, signal);
        const id = randomUUID();
        try {
          for (;;) {
            signal.throwIfAborted();
            const taken = await tryTake(id, streamId, providerId(), size, perStream);
            if (taken === "taken") break;
            if (taken === "settled") {
              throw new AppError("STREAM_SETTLING", "The use of this stream has ended.", { facts: { streamId: String(streamId) } });
            }
            const waitedMs = clock.now() - askedAtMs;
            if (taken === "stream" && waitedMs >= GRACE_MS) throw busy("This stream has as many answers under way as it may.", size, 1);
            if (taken === "offer" && waitedMs >= queueMs) throw busy("No place of this model became free in time.", size, 5);
            await clock.sleep(LOOK_MS, signal);
          }
        } catch (thrown) {
          release();
          throw thrown;
        }
        held.add(id);
        let given = false;
        return () => {
          if (given) return;
          given = true;
          release();
          giveBack(id);
        };
      },
    }),
    keep: (signal) =>
      runLoop({ name: "keep places", everyMs: RENEW_MS, maxBackoffMs: RENEW_MS, clock, signal, logger }, async () => {
        if (held.size === 0) return;
        const expiresAtMs = sql`${nowInStore} + ${LEASE_MS}::bigint`;
        await db
          .update(places)
          .set({ expiresAtMs })
          .where(inArray(places.id, [...held]));
      }),
  };
}

function busy(reason: string, capacity: number, retryAfterSeconds: number): AppError {
  return new AppError("BUSY", reason, { facts: { capacity }, retryAfterSeconds });
}
