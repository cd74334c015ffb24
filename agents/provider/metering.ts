import { AppError } from "@clawcompute/lib/errors";
import type { SignedReceipt } from "@clawcompute/lib/protocol";
import { and, type Database, eq, meters, type SQL, sql } from "@clawcompute/lib/store";
import type { Closing } from "./drafting.ts";

/** Which meter: one for each stream. */
export interface MeterKey {
  readonly chainId: number;
  readonly streamId: bigint;
}

export const meterIs = ({ chainId, streamId }: MeterKey) => and(eq(meters.chainId, chainId), eq(meters.streamId, streamId));

/** Longer than any gap between two marks of one answer; older milliseconds cannot be counted again. */
export const REMEMBERED_MS = 15 * 60_000;

/** Many short answers leave many gaps. */
export const GAPS = 64;

/**
 * The newest ranges of these; what lies between older ones counts as counted. So a row stays small, and an answer that ran through
 * such an old gap is paid for less of it: never for more.
 */
export const bounded = (ranges: SQL): SQL => sql`(
  select case when newest.oldest is null then r else r + int8multirange(int8range(lower(r), newest.oldest)) end
  from (select ${ranges} as r) as given left join lateral (
    select lower(part) as oldest from unnest(r) as part order by part desc offset ${GAPS} limit 1
  ) as newest on true)`;

/**
 * Counts the milliseconds from `fromMs` to `toMs` (unix) as served, in one statement: what another answer on the stream has
 * counted already, here or in another replica, is not counted again. Returns the stream's meter, or undefined when the
 * stream was settled, which ends everything that runs on it.
 */
export async function countServed(
  db: Pick<Database, "update">,
  key: MeterKey,
  fromMs: number,
  toMs: number,
): Promise<MeterState | undefined> {
  const span = sql`int8multirange(int8range(${fromMs}::bigint, ${Math.max(fromMs, toMs)}::bigint))`;
  const added = sql`coalesce((select sum(upper(part) - lower(part)) from unnest(${span} - ${meters.counted}) as part), 0)::bigint`;
  const recent = sql`int8multirange(int8range(${toMs - REMEMBERED_MS}::bigint, null))`;
  const rows = await db
    .update(meters)
    .set({
      servedMs: sql`${meters.servedMs} + ${added}`,
      counted: bounded(sql`(${meters.counted} + ${span}) * ${recent}`),
      updatedAtMs: toMs,
    })
    .where(and(meterIs(key), sql`${meters.settledOwed} is null`))
    .returning(meterState);
  return rows[0];
}

/** What a receipt is made of. */
export const meterState = {
  servedMs: meters.servedMs,
  claimedMs: meters.claimedMs,
  lastReceiptHash: meters.lastReceiptHash,
  settledOwed: meters.settledOwed,
};

export type MeterState = Pick<typeof meters.$inferSelect, keyof typeof meterState>;

/** What was served and what receipts have claimed, of every stream. Whoever shares the store decides how it is decided. */
export interface Meters {
  /** Counts these ms as served, each once. Undefined: the stream was settled. */
  count(streamId: bigint, fromMs: number, toMs: number): Promise<MeterState | undefined>;
  /** Counts the answer's time and makes its receipt, the next one of its stream; it is kept when this resolves. */
  close(closing: Closing): Promise<SignedReceipt>;
  /** Meanwhile this process counts and claims nothing on the stream, and the tables tell everything about it. */
  alone<T>(streamId: bigint, work: () => Promise<T>): Promise<T>;
  /** Resolves when the tables tell everything that was counted and claimed before. */
  written(): Promise<void>;
  /** What is known without asking the store, where nobody else can have changed it. */
  servedMs(streamId: bigint): number | undefined;
}

export function withoutMeter(streamId: bigint): AppError {
  return new AppError("INTERNAL", "A stream without a meter was used.", { facts: { streamId: String(streamId) } });
}

/**
 * Puts a running answer's time into the store while it runs, so that a crash loses less than a second of it. Only one write is
 * under way at a time; what was marked meanwhile goes with the next one.
 */
export interface RunningMeter {
  /** Time up to here was served and will be charged whatever happens next. */
  mark(untilMs: number): void;
  /** Waits for the write under way; afterwards nothing is written any more. Returns up to when time is in the store. */
  stop(): Promise<number>;
}

export function startMeter(options: {
  readonly meters: Pick<Meters, "count">;
  readonly streamId: bigint;
  readonly startedAtMs: number;
  /** The stream was settled elsewhere. */
  readonly onSettled: () => void;
  readonly onError: (error: unknown) => void;
}): RunningMeter {
  const { meters, streamId, startedAtMs, onSettled, onError } = options;
  let stored = startedAtMs;
  let writing: Promise<void> | undefined;
  let stopped = false;

  async function write(untilMs: number): Promise<void> {
    try {
      if ((await meters.count(streamId, stored, untilMs)) === undefined) onSettled();
      else stored = untilMs;
    } catch (error) {
      onError(error);
    } finally {
      writing = undefined;
    }
  }

  return {
    mark: (untilMs) => {
      if (stopped || writing || untilMs <= stored) return;
      writing = write(untilMs);
    },
    stop: async () => {
      stopped = true;
      await writing;
      return stored;
    },
  };
}
