const MS = 1000n;

/**
 * What `ms` milliseconds cost at `ratePerSecond` raw units, rounded down. Charges round down, so that nobody ever pays for
 * a millisecond that was not served.
 */
export function costDown(ratePerSecond: bigint, ms: number): bigint {
  return (ratePerSecond * BigInt(Math.max(0, Math.floor(ms)))) / MS;
}

/** The same rounded up: for deposits and holds, which must cover the charge. */
export function costUp(ratePerSecond: bigint, ms: number): bigint {
  return (ratePerSecond * BigInt(Math.max(0, Math.ceil(ms))) + MS - 1n) / MS;
}

/** Whole milliseconds that `amount` pays for at `ratePerSecond`, rounded down. */
export function coveredMsDown(amount: bigint, ratePerSecond: bigint): number {
  if (ratePerSecond <= 0n) return 0;
  const ms = (amount * MS) / ratePerSecond;
  return ms > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(ms);
}

/** P3: the most a payer can lose to a provider that never answers: rate × (first-token deadline + confirmation + 1 s). */
export function worstCaseLoss(ratePerSecond: bigint, firstTokenMs: number, confirmationMs: number): bigint {
  return costUp(ratePerSecond, firstTokenMs + confirmationMs + 1000);
}
