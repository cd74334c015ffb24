import { appendFileSync } from "node:fs";

/** One row of the table that `npm run faults:gateway` writes. Amounts are raw units. */
export interface FaultRow {
  readonly fault: string;
  /** What the client was told, as it sees it. */
  readonly saw: string;
  /** What the chain paid to the provider at fault. */
  readonly paidWei: bigint;
  /** Of that, what no answer was delivered for. */
  readonly lostWei: bigint;
  /** The most that this may be, and by which promise. */
  readonly boundWei: bigint;
  readonly promise: string;
}

/** Keeps what a fault cost, for the table. Without FAULTS_FILE it does nothing. Call it once the test's own expectations hold. */
export function recordFaultRow(row: FaultRow): void {
  const file = process.env.FAULTS_FILE;
  if (!file) return;
  appendFileSync(file, `${JSON.stringify(row, (_, value) => (typeof value === "bigint" ? value.toString() : value))}\n`);
}
