import { encodeSignedReceipt, type SignedReceipt } from "@clawcompute/lib/protocol";
import { type Database, meters, sql } from "@clawcompute/lib/store";
import type { Hex } from "viem";
import type { Closing, Draft, Drafted } from "./drafting.ts";
import { bounded, countServed, type MeterState, type Meters, meterIs, meterState, REMEMBERED_MS, withoutMeter } from "./metering.ts";

type Executor = Pick<Database, "execute">;
type Row = Record<string, string | number | null>;
const rowsOf = async (db: Executor, query: ReturnType<typeof sql>): Promise<readonly Row[]> =>
  ((await db.execute(query)) as unknown as { rows: Row[] }).rows;

/**
 * Counts the time of all these answers in one statement and returns their streams' meters, also those that were settled, which
 * count nothing more. Idempotent. Rows are locked in the order of their ids, so that replicas wait and never block each other.
 */
export async function countAll(db: Executor, chainId: number, closings: readonly Closing[]): Promise<Map<bigint, MeterState>> {
  const spans = closings.map(({ stream, answer: { storedUntilMs, chargedUntilMs = storedUntilMs } }) => ({
    id: String(stream.id),
    a: storedUntilMs,
    b: Math.max(storedUntilMs, chargedUntilMs),
  }));
  const rows = await rowsOf(
    db,
    // Its receipts' commit waits for the disk, and this one is before it there.
    sql`with quick as materialized (select set_config('synchronous_commit', 'off', true)), spans as (
        select id, coalesce(range_agg(int8range(a, b)) filter (where a < b), '{}') as spans, max(b) as until
        from json_to_recordset(${JSON.stringify(spans)}::json) as x(id numeric, a bigint, b bigint), quick group by id
      ), locked as (
        select stream_id from meters where chain_id = ${chainId} and stream_id in (select id from spans) order by stream_id for update
      ), counted as (
        update meters m set
          served_ms = served_ms + coalesce((select sum(upper(part) - lower(part)) from unnest(spans - m.counted) as part), 0)::bigint,
          counted = ${bounded(sql`(m.counted + spans) * int8multirange(int8range(until - ${REMEMBERED_MS}::bigint, null))`)},
          updated_at_ms = until
        from spans, locked where m.chain_id = ${chainId} and m.stream_id = id and locked.stream_id = id and settled_owed is null
        returning m.stream_id, served_ms, claimed_ms, last_receipt_hash, settled_owed
      )
      select * from counted union all
      select stream_id, served_ms, claimed_ms, last_receipt_hash, settled_owed from meters
      where chain_id = ${chainId} and stream_id in (select id from spans) and settled_owed is not null`,
  );
  return new Map(
    rows.map((row) => [
      BigInt(row.stream_id as string),
      {
        servedMs: Number(row.served_ms),
        claimedMs: Number(row.claimed_ms),
        lastReceiptHash: row.last_receipt_hash as Hex,
        settledOwed: row.settled_owed === null ? null : BigInt(row.settled_owed as string),
      },
    ]),
  );
}

/**
 * Keeps these receipts and their claims in one statement. Those of one stream follow each other, in order; all of them are kept
 * or none, if another receipt or a settlement came between since the first one's `meter` was read. Returns the kept streams.
 */
export async function keepAll(db: Executor, chainId: number, drafts: readonly Drafted[]): Promise<ReadonlySet<bigint>> {
  const streams = new Map<bigint, { first: Drafted; last: Drafted; count: number }>();
  const kept = drafts.map((draft) => {
    const { stream, answer, signed, hash } = draft;
    const known = streams.get(stream.id);
    const nth = known?.count ?? 0;
    streams.set(stream.id, { first: known?.first ?? draft, last: draft, count: nth + 1 });
    return { id: String(stream.id), nth, request: answer.requestId, hash, signed: encodeSignedReceipt(signed), at: answer.endedAtMs };
  });
  const claims = [...streams].map(([id, { first, last }]) => ({
    id: String(id),
    prev: first.meter.lastReceiptHash,
    had: first.meter.claimedMs,
    open: first.meter.settledOwed === null,
    hash: last.hash,
    has: last.signed.receipt.cumulativeServedMs,
  }));
  const rows = await rowsOf(
    db,
    sql`with asked as (
        select * from json_to_recordset(${JSON.stringify(claims)}::json)
          as x(id numeric, prev text, had bigint, open boolean, hash text, has bigint)
      ), locked as (
        select stream_id from meters where chain_id = ${chainId} and stream_id in (select id from asked) order by stream_id for update
      ), claimed as (
        update meters m set claimed_ms = has, last_receipt_hash = hash from asked, locked
        where m.chain_id = ${chainId} and m.stream_id = id and locked.stream_id = id
          and last_receipt_hash = prev and claimed_ms = had and (settled_owed is null) = open
        returning m.stream_id
      )
      insert into receipts (request_id, chain_id, stream_id, sequence, hash, signed, created_at_ms)
      select request, ${chainId}::int, id, nth + coalesce((
          select sequence + 1 from receipts where chain_id = ${chainId} and stream_id = id order by sequence desc limit 1
        ), 0), hash, signed, at
      from json_to_recordset(${JSON.stringify(kept)}::json)
        as y(id numeric, nth int, request text, hash text, signed jsonb, at bigint)
      where id in (select stream_id from claimed) returning stream_id`,
  );
  return new Set(rows.map((row) => BigInt(row.stream_id as string)));
}

/**
 * Meters in a store that replicas share: receipts of answers that end at about the same time, in two statements. Counting is idempotent
 * and nothing is locked while signing; where somebody else was first on a stream, its receipts are made again.
 */
export function createSharedMeters({ db, chainId, draft }: { db: Database; chainId: number; draft: Draft }): Meters {
  async function closeAll(closings: readonly Closing[]): Promise<readonly PromiseSettledResult<SignedReceipt>[]> {
    const done = new Map<Closing, PromiseSettledResult<SignedReceipt>>();
    for (let open = closings; open.length > 0; open = open.filter((closing) => !done.has(closing))) {
      const meterOf = await countAll(db, chainId, open);
      const drafts = new Map<Closing, Drafted>();
      for (const closing of open) {
        try {
          const drafted = await draft(closing, meterOf.get(closing.stream.id) ?? (await readMeter(db, chainId, closing.stream.id)));
          const { cumulativeServedMs: claimedMs } = drafted.signed.receipt;
          drafts.set(closing, drafted);
          meterOf.set(closing.stream.id, { ...drafted.meter, claimedMs, lastReceiptHash: drafted.hash });
        } catch (reason) {
          done.set(closing, { status: "rejected", reason });
        }
      }
      if (drafts.size === 0) continue;
      const kept = await keepAll(db, chainId, [...drafts.values()]);
      for (const [closing, { signed }] of drafts) {
        if (kept.has(closing.stream.id)) done.set(closing, { status: "fulfilled", value: signed });
      }
    }
    return closings.map((closing) => done.get(closing) as PromiseSettledResult<SignedReceipt>);
  }

  return {
    count: (streamId, fromMs, toMs) => countServed(db, { chainId, streamId }, fromMs, toMs),
    close: createGroups(closeAll),
    alone: (_, work) => work(),
    written: async () => {},
    servedMs: () => undefined,
  };
}

export async function readMeter(db: Pick<Database, "select">, chainId: number, streamId: bigint): Promise<MeterState> {
  const [row] = await db.select(meterState).from(meters).where(meterIs({ chainId, streamId }));
  if (!row) throw withoutMeter(streamId);
  return row;
}

/** Groups what comes while a group is worked on; alone, each goes at once. */
export function createGroups<T, R>(work: (group: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>): (item: T) => Promise<R> {
  let waiting: { item: T; resolve: (result: R) => void; reject: (reason: unknown) => void }[] = [];
  let working = false;
  const LARGEST = 64;

  async function run(): Promise<void> {
    working = true;
    while (waiting.length > 0) {
      // What was written to sockets leaves in the next turn of the event loop; an embedded store would hold it up.
      await new Promise((resolve) => setImmediate(resolve));
      const group = waiting.slice(0, LARGEST);
      waiting = waiting.slice(LARGEST);
      try {
        const results = await work(group.map(({ item }) => item));
        for (const [index, { resolve, reject }] of group.entries()) {
          const result = results[index];
          if (result?.status === "fulfilled") resolve(result.value);
          else reject(result?.reason);
        }
      } catch (thrown) {
        for (const { reject } of group) reject(thrown);
      }
    }
    working = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!working) void run();
    });
}
