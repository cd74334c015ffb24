import { type ContractCall, channelWrites, type Sender, type SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { channelOfPayment } from "@clawcompute/lib/protocol/payments";
import { type Address, type Hex, zeroAddress, zeroHash } from "viem";
import type { AccountRow, Ledger } from "./ledger.ts";

/** Brings vouchers to the chain when that is worth its gas, or when the payer is about to leave. */
export interface Collecting {
  /** One round over every live channel. */
  collect(signal: AbortSignal): Promise<void>;
  close(row: AccountRow, voucher: { cumulativeAmount: bigint; signature: Hex }): Promise<Hex>;
}

export interface CollectingOptions {
  readonly ledger: Ledger;
  readonly payee: Address;
  readonly estimate: Sender["estimate"];
  readonly send: (call: ContractCall) => Promise<SentTransaction>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cashed: { inc(labels: { kind: string }): void };
  /** Raw units of the native coin: more than this is not left unclaimed. Of tokens: what an hour costs. */
  readonly claimAbove: bigint;
  readonly idleMs: number;
  /** Those whose closing is on its way to the chain. */
  readonly leaving: Set<bigint>;
  readonly onClosed: (row: AccountRow | undefined) => void;
}

/** A transaction may cost at most this part of what it brings. */
const GAS_SHARE = 10n;

export function createCollecting(options: CollectingOptions): Collecting {
  const { ledger, payee, estimate, send, clock, logger, claimAbove, idleMs, leaving, onClosed, cashed } = options;

  const callOf = (row: AccountRow, kind: "settle" | "close", cumulativeAmount: bigint, signature: Hex): ContractCall => {
    const { payer, asset: token, providerId } = row;
    const terms = { payer, payee, token, salt: row.salt ?? zeroHash, authorizedSigner: row.authorizedSigner ?? zeroAddress };
    return channelWrites[kind]({ terms, cumulativeAmount, signature, providerId });
  };

  const unclaimed = ({ accepted, settled, voucherSignature }: AccountRow) =>
    voucherSignature && accepted > settled ? accepted - settled : 0n;

  /** Undefined: not now. A payer who asked to close waits for nothing. */
  function planOf(row: AccountRow, unusedMs: number): "settle" | "close" | undefined {
    const due = unclaimed(row);
    if (due === 0n) return undefined;
    if (row.state === "closing") return "close";
    const limit = row.asset === zeroAddress ? claimAbove : row.ratePerSecond * 3600n;
    return due >= limit || unusedMs >= idleMs ? "settle" : undefined;
  }

  async function claim(row: AccountRow, kind: "settle" | "close"): Promise<void> {
    const amount = unclaimed(row);
    const call = callOf(row, kind, row.accepted, row.voucherSignature as Hex);
    const channelId = channelOfPayment(row.payment);
    if (leaving.has(row.payment)) return;
    if (kind === "close") leaving.add(row.payment);
    try {
      const { feeWei } = await estimate(call);
      // A payer who leaves takes what is not claimed: then anything above the gas is worth it.
      const share = kind === "close" ? 1n : GAS_SHARE;
      if (row.asset === zeroAddress && feeWei * share > amount) return;
      const sent = await send(call);
      onClosed(await ledger.onChain(row.payment, { settled: row.accepted, ...(kind === "close" ? { state: "closed" as const } : {}) }));
      cashed.inc({ kind });
      logger.info({ channelId, amount: formatAmount(amount), asset: row.asset, hash: sent.hash, kind }, "vouchers cashed");
    } catch (thrown) {
      const error = AppError.from(thrown);
      const level = error.code.startsWith("PAYMENT_CHANNEL_") ? "debug" : "warn";
      logger[level]({ code: error.code, facts: error.facts, channelId, kind }, "vouchers not cashed");
    } finally {
      if (kind === "close") leaving.delete(row.payment);
    }
  }

  return {
    collect: async (signal) => {
      const live = await ledger.live(payee, "channel");
      const now = clock.now();
      const due = live.flatMap(({ row, servedAtMs }) => {
        const kind = planOf(row, now - Math.max(row.usedAtMs, servedAtMs));
        return kind ? [{ row, kind }] : [];
      });
      // Those that may be lost first, then the most valuable.
      due.sort((a, b) => Number(b.kind === "close") - Number(a.kind === "close") || (unclaimed(b.row) > unclaimed(a.row) ? 1 : -1));
      for (const { row, kind } of due) {
        signal.throwIfAborted();
        await claim(row, kind);
      }
    },
    close: async (row, { cumulativeAmount, signature }) => (await send(callOf(row, "close", cumulativeAmount, signature))).hash,
  };
}
