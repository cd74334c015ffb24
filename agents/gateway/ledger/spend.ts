import type { Chain } from "@clawcompute/lib/chain";
import { channelOfPayment, paymentOfChannel } from "@clawcompute/lib/protocol/payments";
import {
  and,
  type Database,
  desc,
  eq,
  gatewayRequests,
  gatewayStreams,
  gatewayTransactions,
  gte,
  isNotNull,
  isNull,
  sql,
} from "@clawcompute/lib/store";
import type { Address, Hex } from "viem";
import { addUp } from "../bill.ts";
import { findChannels, isChannelId, readChannelLedger } from "../channels/ownChannels.ts";
import { findOpenings, readStreamEvents } from "./chainEvents.ts";

export const spendGroups = ["day", "provider", "model", "client", "outcome"] as const;
export type SpendGroup = (typeof spendGroups)[number];

export interface SpendRow {
  readonly group: string;
  readonly requests: number;
  readonly failed: number;
  readonly costWei: bigint;
  readonly servedMs: number;
  readonly unitsIn: number;
  readonly unitsOut: number;
}

export interface SpendReport {
  readonly by: SpendGroup;
  readonly sinceMs: number;
  readonly rows: readonly SpendRow[];
  /** Of ended streams, as the chain's events say; gas apart. */
  readonly paidWei: bigint;
  readonly refundedWei: bigint;
  readonly gasWei: bigint;
  readonly streams: number;
  /** Paid, but not part of any request's bill: idle clocks, answers that broke off, streams of a crashed run. */
  readonly overheadWei: bigint;
}

export interface SpendQuery {
  readonly by: SpendGroup;
  readonly sinceMs: number;
}

export interface Books {
  readonly db: Database;
  readonly chainId: number;
  readonly payer: Address;
}

/** Channels that the books do not know to be closed: one that is used stays open longer than anybody looks back on the chain. */
export async function channelsInBooks({ db, chainId, payer }: Books): Promise<Hex[]> {
  const open = and(eq(gatewayStreams.chainId, chainId), eq(gatewayStreams.payer, payer), isNull(gatewayStreams.endedAtMs));
  const rows = await db.select({ id: gatewayStreams.streamId }).from(gatewayStreams).where(open);
  return rows.filter(({ id }) => isChannelId(id)).map(({ id }) => channelOfPayment(id));
}

const groupOf = {
  day: sql<string>`to_char(to_timestamp(${gatewayRequests.startedAtMs} / 1000.0) at time zone 'utc', 'YYYY-MM-DD')`,
  provider: sql<string>`coalesce(${gatewayRequests.providerId}::text, case when ${gatewayRequests.model} is null then '-' else 'local' end)`,
  model: sql<string>`coalesce(${gatewayRequests.model}, '-')`,
  client: sql<string>`${gatewayRequests.client}`,
  outcome: sql<string>`${gatewayRequests.outcome}`,
} as const;

export async function spend({ db, chainId, payer }: Books, { by, sinceMs }: SpendQuery): Promise<SpendReport> {
  const own = and(eq(gatewayRequests.chainId, chainId), eq(gatewayRequests.payer, payer), gte(gatewayRequests.startedAtMs, sinceMs));
  const group = groupOf[by];
  const rows = await db
    .select({
      group,
      requests: sql<string>`count(*)`,
      failed: sql<string>`count(*) filter (where ${gatewayRequests.outcome} not in ('ok', 'running'))`,
      costWei: sql<string>`coalesce(sum(${gatewayRequests.costWei}), 0)`,
      servedMs: sql<string>`coalesce(sum(${gatewayRequests.servedMs}), 0)`,
      unitsIn: sql<string>`coalesce(sum(${gatewayRequests.unitsIn}), 0)`,
      unitsOut: sql<string>`coalesce(sum(${gatewayRequests.unitsOut}), 0)`,
    })
    .from(gatewayRequests)
    .where(own)
    .groupBy(sql`1`)
    .orderBy(sql`1`);
  const [streams] = await db
    .select({
      count: sql<string>`count(*)`,
      paid: sql<string>`coalesce(sum(${gatewayStreams.paidWei}), 0)`,
      refunded: sql<string>`coalesce(sum(${gatewayStreams.refundedWei}), 0)`,
    })
    .from(gatewayStreams)
    .where(
      and(
        eq(gatewayStreams.chainId, chainId),
        eq(gatewayStreams.payer, payer),
        isNotNull(gatewayStreams.endedAtMs),
        gte(gatewayStreams.endedAtMs, sinceMs),
      ),
    );
  const [gas] = await db
    .select({ wei: sql<string>`coalesce(sum(${gatewayTransactions.feeWei}), 0)` })
    .from(gatewayTransactions)
    .where(and(eq(gatewayTransactions.chainId, chainId), eq(gatewayTransactions.payer, payer), gte(gatewayTransactions.atMs, sinceMs)));
  const [ofEnded] = await db
    .select({ wei: sql<string>`coalesce(sum(${gatewayRequests.costWei}), 0)` })
    .from(gatewayRequests)
    .innerJoin(
      gatewayStreams,
      and(eq(gatewayStreams.chainId, gatewayRequests.chainId), eq(gatewayStreams.streamId, gatewayRequests.streamId)),
    )
    .where(and(own, isNotNull(gatewayStreams.endedAtMs), gte(gatewayStreams.endedAtMs, sinceMs)));
  const paidWei = BigInt(streams?.paid ?? 0);
  return {
    by,
    sinceMs,
    rows: rows.map((row) => ({
      group: row.group,
      requests: Number(row.requests),
      failed: Number(row.failed),
      costWei: BigInt(row.costWei),
      servedMs: Number(row.servedMs),
      unitsIn: Number(row.unitsIn),
      unitsOut: Number(row.unitsOut),
    })),
    paidWei,
    refundedWei: BigInt(streams?.refunded ?? 0),
    gasWei: BigInt(gas?.wei ?? 0),
    streams: Number(streams?.count ?? 0),
    overheadWei: paidWei - BigInt(ofEnded?.wei ?? 0),
  };
}

const MOST_ROWS = 100_000;

/** One line for each request, newest first; wei as whole numbers. */
export async function spendCsv({ db, chainId, payer }: Books, sinceMs: number): Promise<string> {
  const own = and(eq(gatewayRequests.chainId, chainId), eq(gatewayRequests.payer, payer), gte(gatewayRequests.startedAtMs, sinceMs));
  const rows = await db.select().from(gatewayRequests).where(own).orderBy(desc(gatewayRequests.startedAtMs)).limit(MOST_ROWS);
  const head =
    "time,request,client,route,asked,model,provider,stream,cost_wei,exact,served_ms,first_token_ms,units_in,units_out,outcome,finish_reason";
  const lines = rows.map((row) =>
    [
      new Date(row.startedAtMs).toISOString(),
      row.requestId,
      row.client,
      row.route,
      row.asked,
      row.model,
      row.providerId,
      row.streamId,
      row.costWei,
      row.exact,
      row.servedMs,
      row.firstTokenMs,
      row.unitsIn,
      row.unitsOut,
      row.outcome,
      row.finishReason,
    ]
      .map(cell)
      .join(","),
  );
  return `${[head, ...lines].join("\r\n")}\r\n`;
}

/** RFC 4180; text of strangers never begins a formula in a spreadsheet. */
function cell(value: string | number | bigint | boolean | null): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export interface Difference {
  readonly streamId: string;
  /** not_kept: on the chain only. not_on_chain: in the store only. amounts: both, but they say different things. open: the chain has closed it. */
  readonly kind: "not_kept" | "not_on_chain" | "amounts" | "open";
  readonly chain: { readonly depositWei: string; readonly paidWei: string; readonly refundedWei: string } | null;
  readonly kept: { readonly depositWei: string; readonly paidWei: string | null; readonly refundedWei: string | null } | null;
}

/** Compares the books with the chain's events, stream by stream and channel by channel. `openNow` are this process's own. */
export async function reconcile(books: Books, chain: Chain, fromBlock: bigint, openNow: ReadonlySet<string>) {
  const { db, chainId, payer } = books;
  const openings = await findOpenings(chain, payer, fromBlock);
  const events = await readStreamEvents(chain, openings, fromBlock);
  const rows = await db
    .select()
    .from(gatewayStreams)
    .where(and(eq(gatewayStreams.chainId, chainId), eq(gatewayStreams.payer, payer)));
  const kept = new Map(rows.map((row) => [String(row.streamId), row]));
  const streams = openings.map(({ id }) => {
    const { deposit, paid, refunded, moved } = addUp(id, events);
    return { key: String(id), name: String(id), depositWei: deposit - moved, paid, refunded, isOpen: paid + refunded < deposit - moved };
  });
  const channels = await Promise.all(
    (await findChannels(chain, payer, fromBlock)).map(async ({ id, openBlock }) => {
      const { deposit, paid, refunded, closed } = await readChannelLedger(chain, id, openBlock);
      return { key: String(paymentOfChannel(id)), name: id, depositWei: deposit, paid, refunded, isOpen: !closed };
    }),
  );
  const differences: Difference[] = [];
  for (const { key, name, depositWei, paid, refunded, isOpen } of [...streams, ...channels]) {
    const row = kept.get(key);
    const onChain = { depositWei: String(depositWei), paidWei: String(paid), refundedWei: String(refunded) };
    if (!row) {
      differences.push({ streamId: name, kind: "not_kept", chain: onChain, kept: null });
      continue;
    }
    if (openNow.has(name) || (isOpen && row.endedAtMs === null)) continue;
    const same = row.depositWei === depositWei && row.paidWei === paid && row.refundedWei === refunded;
    if (same) continue;
    const inStore = {
      depositWei: String(row.depositWei),
      paidWei: row.paidWei === null ? null : String(row.paidWei),
      refundedWei: row.refundedWei === null ? null : String(row.refundedWei),
    };
    differences.push({ streamId: name, kind: row.endedAtMs === null ? "open" : "amounts", chain: onChain, kept: inStore });
  }
  return { streams: streams.length + channels.length, differences };
}
