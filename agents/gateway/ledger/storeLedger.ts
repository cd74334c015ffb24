import { type Chain, readStream } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { channelOfPayment } from "@clawcompute/lib/protocol/payments";
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
  lt,
  sql,
} from "@clawcompute/lib/store";
import type { Address } from "viem";
import { type Bill, makeBill } from "../bill.ts";
import type { Budget, DepositHold } from "../budget/budget.ts";
import { DAY_MS } from "../budget/window.ts";
import { isChannelId, readChannelLedger } from "../channels/ownChannels.ts";
import type { OpenStream } from "../payment.ts";
import type { Experience } from "../selection/experience.ts";
import { classify } from "../selection/faults.ts";
import type { AttemptRecord } from "../serve/chatJob.ts";
import type { Ledger } from "./ledger.ts";
import { createRequestRows } from "./requestRows.ts";
import { createWriteQueue } from "./writeQueue.ts";

export interface StoreLedger extends Ledger {
  /**
   * Tells budget and experience what earlier runs did, after asking the chain about streams that they left open. What they left in
   * them is held, until whoever asked has found them on the chain (P14).
   */
  restore(budget: Budget, experience: Experience): Promise<DepositHold>;
  readonly db: Database;
}

export interface LedgerOptions {
  readonly db: Database;
  readonly chain: Chain;
  readonly payer: Address;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where a token is paid with, gas is no part of what was spent of it. Default: it is. */
  readonly countsGas?: boolean;
}

/** Requests whose outcome still says something about a provider. */
const REMEMBERED = 500;

export function openLedger({ db, chain, payer, clock, logger, countsGas = true }: LedgerOptions): StoreLedger {
  const { chainId } = chain.network;
  const queue = createWriteQueue({ clock, logger });
  const requests = createRequestRows({ db, queue, clock, chainId, payer });
  const ownStream = (streamId: bigint) => and(eq(gatewayStreams.chainId, chainId), eq(gatewayStreams.streamId, streamId));
  const ended = (bill: Bill, servedMs: number | null) => ({
    depositWei: bill.depositWei,
    paidWei: bill.paidWei,
    refundedWei: bill.refundedWei,
    servedMs,
    endedAtMs: clock.now(),
  });

  /** Streams that were open when an earlier run ended and that the chain has closed since. */
  async function settleClosed(): Promise<void> {
    const open = await db
      .select()
      .from(gatewayStreams)
      .where(and(eq(gatewayStreams.chainId, chainId), eq(gatewayStreams.payer, payer), isNull(gatewayStreams.endedAtMs)));
    for (const row of open) {
      if (isChannelId(row.streamId)) {
        const { closed, deposit, paid, refunded } = await readChannelLedger(
          chain,
          channelOfPayment(row.streamId),
          chain.network.deployBlock,
        );
        if (!closed) continue;
        const amounts = { depositWei: deposit, paidWei: paid, refundedWei: refunded };
        await db
          .update(gatewayStreams)
          .set({ ...amounts, endedAtMs: clock.now() })
          .where(ownStream(row.streamId));
        continue;
      }
      const state = await readStream(chain, row.streamId);
      if (state.status === "active") continue;
      const stream = { id: row.streamId, openBlock: chain.network.deployBlock } as OpenStream;
      const bill = await makeBill(chain, [stream], []);
      await db.update(gatewayStreams).set(ended(bill, null)).where(ownStream(row.streamId));
    }
  }

  return {
    db,
    begin: requests.begin,
    finish: requests.finish,
    opened: ({ id, offer, ratePerSecond, depositWei, openedAtMs }) =>
      queue.add("stream", () =>
        db
          .insert(gatewayStreams)
          .values({
            chainId,
            streamId: BigInt(id),
            payer,
            payee: offer.owner,
            providerId: offer.id,
            model: offer.model,
            ratePerSecond,
            depositWei,
            openedAtMs,
          })
          .onConflictDoNothing(),
      ),
    toppedUp: ({ id, depositWei }) =>
      queue.add("top-up", () =>
        db
          .update(gatewayStreams)
          .set({ depositWei })
          .where(ownStream(BigInt(id))),
      ),
    ended: ({ id }, { bill, servedMs }) =>
      queue.add("stream's end", () =>
        db
          .update(gatewayStreams)
          .set(ended(bill, servedMs ?? null))
          .where(ownStream(BigInt(id))),
      ),
    transaction: ({ kind, streamId, sent }) =>
      queue.add("transaction", () =>
        db
          .insert(gatewayTransactions)
          .values({
            hash: sent.hash,
            chainId,
            payer,
            kind,
            streamId,
            blockNumber: sent.blockNumber,
            gasUsed: sent.gasUsed,
            feeWei: sent.feeWei,
            atMs: clock.now(),
          })
          .onConflictDoNothing(),
      ),
    forgotten: ({ id, offer, ratePerSecond, start }, bill) => {
      const row = ended(bill, null);
      queue.add("forgotten stream", () =>
        db
          .insert(gatewayStreams)
          .values({
            chainId,
            streamId: id,
            payer,
            payee: offer.owner,
            providerId: offer.id,
            model: offer.model,
            ratePerSecond,
            openedAtMs: start * 1000,
            ...row,
            forgotten: true,
          })
          .onConflictDoUpdate({ target: [gatewayStreams.chainId, gatewayStreams.streamId], set: { ...row, forgotten: true } }),
      );
    },
    flush: () => {
      requests.flush();
      return queue.flush();
    },

    restore: async (budget, experience) => {
      await settleClosed().catch((thrown: unknown) => {
        logger.warn({ err: AppError.from(thrown) }, "what became of earlier streams is not known yet");
      });
      const [left] = await db
        .select({ wei: sql<string>`coalesce(sum(${gatewayStreams.depositWei}), 0)` })
        .from(gatewayStreams)
        .where(and(eq(gatewayStreams.chainId, chainId), eq(gatewayStreams.payer, payer), isNull(gatewayStreams.endedAtMs)));
      const hold = budget.adopt(BigInt(left?.wei ?? 0));
      const since = clock.now() - DAY_MS;
      const streams = and(eq(gatewayStreams.chainId, chainId), eq(gatewayStreams.payer, payer), isNotNull(gatewayStreams.endedAtMs));
      const transactions = and(eq(gatewayTransactions.chainId, chainId), eq(gatewayTransactions.payer, payer));
      const requests = and(eq(gatewayRequests.chainId, chainId), eq(gatewayRequests.payer, payer));
      const paid = await db
        .select({ wei: gatewayStreams.paidWei, atMs: gatewayStreams.endedAtMs })
        .from(gatewayStreams)
        .where(and(streams, gte(gatewayStreams.endedAtMs, since)));
      const fees = await db
        .select({ wei: gatewayTransactions.feeWei, atMs: gatewayTransactions.atMs })
        .from(gatewayTransactions)
        .where(and(transactions, gte(gatewayTransactions.atMs, since)));
      const costs = await db
        .select({ wei: gatewayRequests.costWei, atMs: gatewayRequests.startedAtMs, client: gatewayRequests.client })
        .from(gatewayRequests)
        .where(and(requests, gte(gatewayRequests.startedAtMs, since)));
      const [oldPaid] = await db
        .select({ wei: sql<string>`coalesce(sum(${gatewayStreams.paidWei}), 0)` })
        .from(gatewayStreams)
        .where(and(streams, lt(gatewayStreams.endedAtMs, since)));
      const [oldFees] = await db
        .select({ wei: sql<string>`coalesce(sum(${gatewayTransactions.feeWei}), 0)` })
        .from(gatewayTransactions)
        .where(and(transactions, lt(gatewayTransactions.atMs, since)));
      const oldCosts = await db
        .select({ client: gatewayRequests.client, wei: sql<string>`sum(${gatewayRequests.costWei})` })
        .from(gatewayRequests)
        .where(and(requests, lt(gatewayRequests.startedAtMs, since)))
        .groupBy(gatewayRequests.client);
      const everybody = [...paid, ...(countsGas ? fees : [])].map(({ wei, atMs }) => ({
        wei: wei ?? 0n,
        atMs: atMs ?? since,
        client: undefined,
      }));
      const longAgo = since - DAY_MS;
      budget.restore([
        ...everybody,
        ...costs,
        { wei: BigInt(oldPaid?.wei ?? 0) + (countsGas ? BigInt(oldFees?.wei ?? 0) : 0n), atMs: longAgo, client: undefined },
        ...oldCosts.map(({ client, wei }) => ({ wei: BigInt(wei), atMs: longAgo, client })),
      ]);
      await restoreExperience(db, requests, experience);
      return hold;
    },
  };
}

async function restoreExperience(db: Database, requests: ReturnType<typeof and>, experience: Experience): Promise<void> {
  const rows = await db
    .select({
      providerId: gatewayRequests.providerId,
      outcome: gatewayRequests.outcome,
      attempts: gatewayRequests.attempts,
      firstTokenMs: gatewayRequests.firstTokenMs,
      servedMs: gatewayRequests.servedMs,
      unitsOut: gatewayRequests.unitsOut,
    })
    .from(gatewayRequests)
    .where(requests)
    .orderBy(desc(gatewayRequests.startedAtMs))
    .limit(REMEMBERED);
  for (const { providerId, outcome, attempts, firstTokenMs, servedMs, unitsOut } of rows.reverse()) {
    for (const attempt of attempts as AttemptRecord[]) {
      if (attempt.providerId > 0 && classify(new AppError(attempt.code, "")) === "provider")
        experience.remember(attempt.providerId, undefined);
    }
    if (providerId === null) continue;
    if (outcome !== "ok") {
      if (outcome === "ANSWER_CUT") experience.remember(providerId, undefined);
      continue;
    }
    const seconds = (servedMs - (firstTokenMs ?? 0)) / 1000;
    experience.remember(providerId, {
      firstTokenMs: firstTokenMs ?? undefined,
      tokensPerSecond: unitsOut >= 8 && seconds > 0 ? unitsOut / seconds : undefined,
    });
  }
}
