import { createHash, randomUUID } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { and, type Database, eq, isNotNull, lte, payTransfers, sql, type TransferIntent } from "@clawcompute/lib/store";
import type { Hex } from "viem";

/** Money that comes in or goes back, each payment once, whatever is retried, crashes or runs beside it. */
export interface Transfers {
  /** `work` runs for whoever asked first and must go on; anybody else learns what became of it. */
  once<T>(transfer: NewTransfer, work: (hold: Hold) => Promise<T>): Promise<{ readonly mine: T } | { readonly known: Known }>;
  /** `change` happens with it, or neither does. False: it was done before. `told`: who made it learns of it now. */
  finish(
    key: string,
    hash: Hex | undefined,
    change: (db: Pick<Database, "select" | "insert" | "update">) => Promise<void>,
    told?: boolean,
  ): Promise<boolean>;
  /** Whether who shows a finished transfer again may have what it paid for: its maker's secret, or what a crash kept from its maker, once. */
  mayHave(done: Known, secret: string | undefined): Promise<boolean>;
  /** Reserved at least so long ago, by nobody in this process who is still at it. */
  leftOver(beforeMs: number): Promise<readonly Known[]>;
  /** It did not happen and never will, for certain. "released": it may be tried again; "failed": it may not. */
  giveUp(transfer: Known, how: "released" | "failed"): Promise<void>;
  /** Whether this transaction has paid for something already. */
  isTaken(hash: Hex): Promise<boolean>;
  of(payment: bigint): Promise<readonly Known[]>;
}

export interface NewTransfer {
  readonly key: string;
  readonly payment: bigint;
  readonly kind: "funding" | "refund";
  readonly amount: bigint;
  /** Absent: nothing of it is on a chain. */
  readonly intent?: TransferIntent;
  /** Only who knows it may ask again what became of it. What is on the chain proves nothing: everybody can read it. */
  readonly secret?: string;
  readonly nowMs: number;
}

/** The right to make one transfer. It ends when somebody else has found it left over. */
export interface Hold {
  /** Awaited before signed bytes leave the process. Throws IDEMPOTENCY_CONFLICT when the right is gone: then nothing may be sent. */
  signed(transaction: { readonly nonce: number; readonly hash: Hex }): Promise<void>;
  /** Nothing was sent: it may be tried again. False: it was signed, so only the chain knows, and it stays reserved. */
  release(): Promise<boolean>;
}

export type Known = typeof payTransfers.$inferSelect;

export function createTransfers(db: Database, chainId: number): Transfers {
  const underWay = new Set<string>();
  const held = (key: string, attempt: string | null) =>
    and(eq(payTransfers.key, key), eq(payTransfers.state, "reserved"), attempt === null ? undefined : eq(payTransfers.attempt, attempt));

  function holdOf(key: string, attempt: string): Hold {
    let signed = false;
    return {
      signed: async ({ nonce: walletNonce, hash: transactionHash }) => {
        const set = { walletNonce, transactionHash };
        const [mine] = await db.update(payTransfers).set(set).where(held(key, attempt)).returning({ key: payTransfers.key });
        if (!mine) throw new AppError("IDEMPOTENCY_CONFLICT", "This payment is being tried elsewhere.", { retryAfterSeconds: 1 });
        signed = true;
      },
      release: async () => {
        if (!signed) await db.delete(payTransfers).where(held(key, attempt));
        return !signed;
      },
    };
  }

  return {
    once: async ({ nowMs: createdAtMs, secret, ...transfer }, work) => {
      const { key } = transfer;
      const attempt = `${randomUUID()}${secret === undefined ? "" : `/${sealed(key, secret)}`}`;
      const first = !underWay.has(key);
      // Before the row is there: nobody here may find it left over.
      underWay.add(key);
      try {
        const [mine] = await db
          .insert(payTransfers)
          .values({ ...transfer, chainId, state: "reserved", attempt, createdAtMs })
          .onConflictDoNothing()
          .returning({ key: payTransfers.key });
        if (mine) return { mine: await work(holdOf(key, attempt)) };
        const [known] = await db.select().from(payTransfers).where(eq(payTransfers.key, key));
        if (!known) throw new AppError("IDEMPOTENCY_CONFLICT", "This payment is being tried elsewhere.", { retryAfterSeconds: 1 });
        return { known };
      } finally {
        if (first) underWay.delete(key);
      }
    },
    finish: (key, hash, change, told = true) =>
      db.transaction(async (tx) => {
        const [done] = await tx
          .update(payTransfers)
          .set({
            state: "done",
            transactionHash: hash ?? null,
            ...(told ? { attempt: sql`regexp_replace(${payTransfers.attempt}, '^[^/]*', '')` } : {}),
          })
          .where(held(key, null))
          .returning({ key: payTransfers.key });
        if (!done) return false;
        await change(tx);
        return true;
      }),
    mayHave: async ({ key, state, attempt }, secret) => {
      if (state !== "done" || !attempt) return false;
      const [holder, seal] = attempt.split("/");
      if (seal !== undefined) return secret !== undefined && seal === sealed(key, secret);
      if (!holder) return false;
      const untold = and(eq(payTransfers.key, key), eq(payTransfers.state, "done"), eq(payTransfers.attempt, attempt));
      return (await db.update(payTransfers).set({ attempt: "" }).where(untold).returning({ key: payTransfers.key })).length > 0;
    },
    leftOver: async (beforeMs) => {
      const rows = await db
        .select()
        .from(payTransfers)
        .where(
          and(
            eq(payTransfers.chainId, chainId),
            eq(payTransfers.state, "reserved"),
            isNotNull(payTransfers.intent),
            lte(payTransfers.createdAtMs, beforeMs),
          ),
        );
      return rows.filter(({ key }) => !underWay.has(key));
    },
    giveUp: async ({ key, attempt }, how) => {
      if (how === "failed") await db.update(payTransfers).set({ state: "failed" }).where(held(key, attempt));
      else await db.delete(payTransfers).where(held(key, attempt));
    },
    isTaken: async (hash) => {
      const done = and(eq(payTransfers.chainId, chainId), eq(payTransfers.transactionHash, hash), eq(payTransfers.state, "done"));
      return (await db.select({ key: payTransfers.key }).from(payTransfers).where(done)).length > 0;
    },
    of: (payment) =>
      db
        .select()
        .from(payTransfers)
        .where(and(eq(payTransfers.chainId, chainId), eq(payTransfers.payment, payment)))
        .orderBy(payTransfers.createdAtMs),
  };
}

const sealed = (key: string, secret: string): string =>
  createHash("sha256")
    .update(JSON.stringify([key, secret]))
    .digest("base64url");
