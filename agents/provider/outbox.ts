import { type Chain, resumeTransaction, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Logger } from "@clawcompute/lib/node";
import { and, type Database, eq, inArray, outbox } from "@clawcompute/lib/store";
import type { Hash, Hex } from "viem";

/**
 * The wallet's transactions by way of the store: each is written down, signed, before any endpoint sees it, and struck out when
 * its outcome is known. Whoever finds one left over, after a crash or on another replica, waits for it before sending anything.
 */
export interface Outbox {
  readonly sender: Sender;
  /** Until nothing is left over. Throws TRANSACTION_UNCERTAIN when that cannot be found out yet. */
  finishEarlier(signal: AbortSignal): Promise<void>;
}

export function createOutbox(options: { db: Database; chain: Chain; sender: Sender; logger: Logger }): Outbox {
  const { db, chain, sender, logger } = options;
  const { account } = sender;
  const own = and(eq(outbox.chainId, chain.network.chainId), eq(outbox.sender, account.address));
  const strike = (nonces: readonly number[]) => db.delete(outbox).where(and(own, inArray(outbox.nonce, [...nonces])));

  return {
    sender: {
      ...sender,
      send: async (call, sendOptions = {}) => {
        const written: number[] = [];
        const settled = async () => {
          if (written.length > 0) await strike(written);
        };
        try {
          const sent = await sender.send(call, {
            ...sendOptions,
            onSigned: async (signed) => {
              await sendOptions.onSigned?.(signed);
              const { nonce, hash, raw } = signed;
              written.push(nonce);
              const row = { hash, raw, what: call.functionName };
              await db
                .insert(outbox)
                .values({ chainId: chain.network.chainId, sender: account.address, nonce, ...row })
                .onConflictDoUpdate({ target: [outbox.chainId, outbox.sender, outbox.nonce], set: row });
            },
          });
          await settled();
          return sent;
        } catch (thrown) {
          if (AppError.from(thrown).code !== "TRANSACTION_UNCERTAIN") await settled();
          throw thrown;
        }
      },
    },
    finishEarlier: async (signal) => {
      const left = await db.select().from(outbox).where(own).orderBy(outbox.nonce);
      for (const { nonce, hash, raw, what } of left) {
        signal.throwIfAborted();
        const signed = { nonce, hash: hash as Hash, raw: raw as Hex };
        const outcome = await resumeTransaction({ chain, account, signed, logger, signal });
        logger.info({ hash, nonce, call: what, outcome }, "an earlier transaction's outcome is known");
        await strike([nonce]);
      }
    },
  };
}
