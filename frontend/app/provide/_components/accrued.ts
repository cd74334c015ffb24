import { costDown } from "@clawcompute/lib/money";
import type { StreamEntry } from "@/queries/ledger.ts";

/** What a stream owes its payee and has not paid, at a chain time in unix ms; never beyond its end. */
export function accruedAt({ ratePerSecond, lastPaid, end }: StreamEntry, chainMs: number): bigint {
  return costDown(ratePerSecond, Math.min(chainMs, end * 1000) - lastPaid * 1000);
}
