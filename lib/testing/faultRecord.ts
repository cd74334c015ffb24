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

/** One row of the table of channels, where both sides can lose. Amounts are raw units. */
export interface JointFaultRecord {
  readonly broken: string;
  readonly ratePerSecond: bigint;
  /** Of what the provider served by its own meter, what it will not be paid for (P5). */
  readonly providerWei: bigint;
  /** Of what the payer paid, what was not served by its own stopwatch (P4). */
  readonly payerWei: bigint;
  readonly boundMs: number;
  /** Where the provider itself risks more. */
  readonly providerBoundMs?: number;
  readonly promise: string;
}

/** Keeps what a fault cost, for the table. Without FAULTS_FILE it does nothing. Call it once the test's own expectations hold. */
export function recordFault(record: FaultRecord): void {
  append(record);
}

/** The same for a channel. */
export function recordJointFault(record: JointFaultRecord): void {
  append(record);
}

function append(record: object): void {
  const file = process.env.FAULTS_FILE;
  if (!file) return;
  appendFileSync(file, `${JSON.stringify(record, (_, value) => (typeof value === "bigint" ? value.toString() : value))}\n`);
}

/** Who lost what on a channel: each side by its own clock. */
export const jointLoss = (amounts: { readonly paid: bigint; readonly servedByMeter: bigint; readonly servedByStopwatch: bigint }) => {
  const { paid, servedByMeter, servedByStopwatch } = amounts;
  const above = (more: bigint, less: bigint) => (more > less ? more - less : 0n);
  return { providerWei: above(servedByMeter, paid), payerWei: above(paid, servedByStopwatch) };
};

/** Loss in time at a rate. */
export const lossAt = (ratePerSecond: bigint, lostMs: number, boundMs: number) => ({
  lostMs,
  boundMs,
  lostWei: (ratePerSecond * BigInt(Math.max(0, Math.round(lostMs)))) / 1000n,
  boundWei: (ratePerSecond * BigInt(boundMs)) / 1000n,
});
