import { eq, sql } from "drizzle-orm";
import { type Journal, openJournal } from "./journal.ts";
import type { Database } from "./open.ts";
import { journal } from "./schema.ts";

/** What changes in a provider's tables, as whole values: of two meters the later one is right, of two vouchers the higher. Numbers that may be large are decimal. */
export interface ProviderEntry {
  readonly meter?: {
    readonly chain: number;
    readonly id: string;
    readonly served: number;
    readonly claimed: number;
    /** Disjoint ranges of ms in ascending order, each up to before its second number. */
    readonly counted: readonly (readonly [from: number, to: number])[];
    readonly hash: string;
    readonly at: number;
  };
  readonly receipt?: {
    readonly chain: number;
    readonly id: string;
    readonly request: string;
    readonly sequence: number;
    readonly hash: string;
    /** Wire form, see protocol/receipts.ts. */
    readonly signed: unknown;
    readonly at: number;
  };
  readonly voucher?: {
    readonly chain: number;
    readonly id: string;
    readonly accepted: string;
    readonly signature: string;
    readonly at: number;
  };
}

export type ProviderJournal = Journal<ProviderEntry>;

const ROW = 1;

export async function openProviderJournal(db: Database, path: string | undefined): Promise<ProviderJournal> {
  const [row] = await db.select().from(journal).where(eq(journal.id, ROW));
  return openJournal<ProviderEntry>({ path, appliedBefore: row?.applied ?? 0, apply: (entries, upTo) => apply(db, entries, upTo) });
}

/** One statement, so all of it or nothing; the number in it is why no entry counts twice. */
async function apply(db: Database, entries: readonly ProviderEntry[], upTo: number): Promise<void> {
  const meters = newest(entries.flatMap(({ meter }) => meter ?? [])).map((meter) => ({
    ...meter,
    counted: `{${meter.counted.map(([from, to]) => `[${from},${to})`).join(",")}}`,
  }));
  const vouchers = newest(
    entries.flatMap(({ voucher }) => voucher ?? []).sort((a, b) => (BigInt(a.accepted) < BigInt(b.accepted) ? -1 : 1)),
  );
  const receipts = entries.flatMap(({ receipt }) => receipt ?? []);
  await db.execute(
    sql`with metered as (
        update meters set served_ms = x.served, claimed_ms = x.claimed, counted = x.counted::int8multirange, last_receipt_hash = x.hash,
          updated_at_ms = x.at
        from json_to_recordset(${JSON.stringify(meters)}::json)
          as x(chain int, id numeric, served bigint, claimed bigint, counted text, hash text, at bigint)
        where chain_id = x.chain and stream_id = x.id
      ), receipted as (
        insert into receipts (request_id, chain_id, stream_id, sequence, hash, signed, created_at_ms)
        select request, chain, id, sequence, hash, signed, at from json_to_recordset(${JSON.stringify(receipts)}::json)
          as x(chain int, id numeric, request text, sequence int, hash text, signed jsonb, at bigint)
        on conflict (request_id) do nothing
      ), paid as (
        update pay_accounts set accepted = x.accepted, voucher_signature = x.signature, used_at_ms = x.at
        from json_to_recordset(${JSON.stringify(vouchers)}::json)
          as x(chain int, id numeric, accepted numeric, signature text, at bigint)
        where chain_id = x.chain and payment = x.id and pay_accounts.accepted < x.accepted
      )
      insert into journal (id, applied) values (${ROW}::int, ${upTo}::bigint) on conflict (id) do update set applied = excluded.applied`,
  );
}

function newest<T extends { readonly chain: number; readonly id: string }>(rows: readonly T[]): T[] {
  return [...new Map(rows.map((row) => [`${row.chain}/${row.id}`, row])).values()];
}
