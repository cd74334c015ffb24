import { appendFileSync } from "node:fs";

/** One row of the table that `npm run faults` prints. */
export interface FaultRecord {
  readonly broken: string;
  /** What somebody lost by it: the provider what it served unpaid, the payer what it paid unserved. */
  readonly lostMs: number;
  readonly boundMs: number;
  readonly lostWei: bigint;
  readonly boundWei: bigint;
  readonly promise: string;
}

/** Keeps what a fault cost, for the table. Without FAULTS_FILE it does nothing. Call it once the test's own expectations hold. */
export function recordFault(record: FaultRecord): void {
  const file = process.env.FAULTS_FILE;
  if (!file) return;
  appendFileSync(file, `${JSON.stringify(record, (_, value) => (typeof value === "bigint" ? value.toString() : value))}\n`);
}

/** Loss in time at a rate. */
export const lossAt = (ratePerSecond: bigint, lostMs: number, boundMs: number) => ({
  lostMs,
  boundMs,
  lostWei: (ratePerSecond * BigInt(Math.max(0, Math.round(lostMs)))) / 1000n,
  boundWei: (ratePerSecond * BigInt(boundMs)) / 1000n,
});
