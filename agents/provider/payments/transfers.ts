import { AppError } from "@clawcompute/lib/errors";
import { and, type Database, eq, payTransfers } from "@clawcompute/lib/store";
import type { Hex } from "viem";

/** Money that comes in or goes back, each payment once, whatever is retried, crashes or runs beside it. */
export interface Transfers {
  /** "mine": whoever asked first and must go on. Anybody else learns what became of it. */
  reserve(transfer: { key: string; payment: bigint; kind: "funding" | "refund"; amount: bigint; nowMs: number }): Promise<"mine" | Known>;
  /** `change` happens with it, or neither does. False: it was done before. */
  finish(
    key: string,
    hash: Hex | undefined,
    change: (db: Pick<Database, "select" | "insert" | "update">) => Promise<void>,
  ): Promise<boolean>;
  /** It did not happen, for certain: it may be tried again. */
  release(key: string): Promise<void>;
  of(payment: bigint): Promise<readonly Known[]>;
}

export type Known = typeof payTransfers.$inferSelect;

export function createTransfers(db: Database, chainId: number): Transfers {
  return {
    reserve: async ({ nowMs: createdAtMs, ...transfer }) => {
      const [mine] = await db
        .insert(payTransfers)
        .values({ ...transfer, chainId, state: "reserved", createdAtMs })
        .onConflictDoNothing()
        .returning({ key: payTransfers.key });
      if (mine) return "mine";
      const [known] = await db.select().from(payTransfers).where(eq(payTransfers.key, transfer.key));
      if (!known) throw new AppError("IDEMPOTENCY_CONFLICT", "This payment is being tried elsewhere.", { retryAfterSeconds: 1 });
      return known;
    },
    finish: (key, hash, change) =>
      db.transaction(async (tx) => {
        const [done] = await tx
          .update(payTransfers)
          .set({ state: "done", transactionHash: hash ?? null })
          .where(and(eq(payTransfers.key, key), eq(payTransfers.state, "reserved")))
          .returning({ key: payTransfers.key });
        if (!done) return false;
        await change(tx);
        return true;
      }),
    release: async (key) => void (await db.delete(payTransfers).where(and(eq(payTransfers.key, key), eq(payTransfers.state, "reserved")))),
    of: (payment) =>
      db
        .select()
        .from(payTransfers)
        .where(and(eq(payTransfers.chainId, chainId), eq(payTransfers.payment, payment)))
        .orderBy(payTransfers.createdAtMs),
  };
}
