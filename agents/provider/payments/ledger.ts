import { coveredMsDown } from "@clawcompute/lib/money";
import { ZERO_HASH } from "@clawcompute/lib/protocol";
import { and, type Database, eq, inArray, lt, meters, payAccounts, type Store, sql } from "@clawcompute/lib/store";
import type { Address, Hex } from "viem";
import type { Meters } from "../metering.ts";

export type AccountRow = Omit<typeof payAccounts.$inferSelect, "chainId">;

/** Accounts in the store: every change is one compare-and-set, so replicas and crashes can neither lose money nor count it twice. */
export interface Ledger {
  read(payment: bigint): Promise<Stored | undefined>;
  /** What others may have changed of an account that is in use here. */
  reread(known: AccountRow): Promise<Pick<Stored, "row" | "servedMs"> | undefined>;
  /** A new account and its meter; what is there already stays as it is. */
  create(row: AccountRow): Promise<Stored>;
  /** Takes a voucher above the newest one. Undefined: the account is not open, or has one that is at least as high. */
  accept(known: AccountRow, accepted: bigint, signature: Hex, nowMs: number): Promise<AccountRow | undefined>;
  /** What the chain says. Amounts only grow; a closed account stays closed. */
  onChain(payment: bigint, state: { deposit?: bigint; settled?: bigint; state?: AccountRow["state"] }): Promise<AccountRow | undefined>;
  /** Channels of this payee that are not closed. */
  live(payee: Address, kind: AccountRow["kind"]): Promise<readonly Stored[]>;
}

export interface Stored {
  readonly row: AccountRow;
  readonly servedMs: number;
  readonly lastReceiptHash: Hex;
  /** When its meter moved last, unix ms. */
  readonly servedAtMs: number;
}

export interface LedgerOptions {
  readonly db: Database;
  readonly chainId: number;
  readonly meters: Pick<Meters, "written" | "servedMs">;
  /** Of a store that only this process has: an account in use here is then as it is in memory. */
  readonly journal?: Store["journal"];
}

export function createLedger({ db, chainId, meters: counting, journal }: LedgerOptions): Ledger {
  const is = (payment: bigint) => and(eq(payAccounts.chainId, chainId), eq(payAccounts.payment, payment));
  const joined = and(eq(meters.chainId, payAccounts.chainId), eq(meters.streamId, payAccounts.payment));
  const select = () =>
    db
      .select({ row: payAccounts, servedMs: meters.servedMs, lastReceiptHash: meters.lastReceiptHash, servedAtMs: meters.updatedAtMs })
      .from(payAccounts)
      .innerJoin(meters, joined);
  const greatest = (column: typeof payAccounts.deposit | typeof payAccounts.settled, value: bigint | undefined) =>
    value === undefined ? column : sql`greatest(${column}, ${String(value)}::numeric)`;

  const read: Ledger["read"] = async (payment) => {
    await counting.written();
    return (await select().where(is(payment)))[0];
  };

  return {
    read,
    reread: async (row) => {
      const servedMs = counting.servedMs(row.payment);
      return servedMs === undefined ? read(row.payment) : { row, servedMs };
    },
    create: async (row) => {
      await db.transaction(async (tx) => {
        const { payment: streamId, providerId, payer, ratePerSecond, usedAtMs: updatedAtMs } = row;
        // What was cashed before the account was known here was for time that was served; receipts go on from there.
        const servedMs = row.kind === "channel" ? coveredMsDown(row.settled, ratePerSecond) : 0;
        const served = { servedMs, claimedMs: servedMs };
        await tx
          .insert(meters)
          .values({ chainId, streamId, providerId, payer, ratePerSecond, ...served, lastReceiptHash: ZERO_HASH, updatedAtMs })
          .onConflictDoNothing();
        await tx
          .insert(payAccounts)
          .values({ chainId, ...row })
          .onConflictDoNothing();
      });
      return (await read(row.payment)) as Stored;
    },
    accept: async (known, accepted, signature, usedAtMs) => {
      const { payment } = known;
      const voucherSignature = signature.toLowerCase() as Hex;
      if (journal) {
        if (known.state !== "open" || known.accepted >= accepted) return undefined;
        const voucher = { chain: chainId, id: String(payment), accepted: String(accepted), signature: voucherSignature, at: usedAtMs };
        journal.append({ voucher });
        return { ...known, accepted, voucherSignature, usedAtMs };
      }
      const [row] = await db
        .update(payAccounts)
        .set({ accepted, voucherSignature, usedAtMs })
        .where(and(is(payment), lt(payAccounts.accepted, accepted), eq(payAccounts.state, "open")))
        .returning();
      return row;
    },
    onChain: async (payment, { deposit, settled, state }) => {
      await counting.written();
      const [row] = await db
        .update(payAccounts)
        .set({
          deposit: greatest(payAccounts.deposit, deposit),
          settled: greatest(payAccounts.settled, settled),
          ...(state === undefined ? {} : { state: sql`case when ${payAccounts.state} = 'closed' then 'closed' else ${state} end` }),
        })
        .where(is(payment))
        .returning();
      return row;
    },
    live: async (payee, kind) => {
      await counting.written();
      return select().where(
        and(
          eq(payAccounts.chainId, chainId),
          eq(payAccounts.payee, payee),
          eq(payAccounts.kind, kind),
          inArray(payAccounts.state, ["open", "closing"]),
        ),
      );
    },
  };
}
