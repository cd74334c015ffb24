import { costDown, coveredMsDown } from "../../money/index.ts";
import { createStopwatch, type PayerClock } from "./stopwatch.ts";

/**
 * What one channel owes by this side's own measure, and how much of it may be signed. P4: a signature never runs ahead of that measure
 * by more than one step, whatever the provider claims; what the provider signed for less is believed.
 */
export interface Exposure {
  /** Requests under way. */
  readonly running: number;
  /** Time in which at least one request was under way, by this side's stopwatch, less what the provider itself did not claim. */
  busyMs(): number;
  /** A request begins; the returned function ends it, once. */
  start(): () => void;
  /** The provider's own signed claim: lowers the measure, never raises it. A price cap per token may make it less than the time's cost. */
  agree(claimedMs: number, claimedAmount: bigint): void;
  /** By the measure, raw units. */
  owed(): bigint;
  /** The most that may be signed now. */
  ceiling(): bigint;
  /** What has been signed so far; never falls. */
  readonly signed: bigint;
  sign(amount: bigint): void;
  /** Money that the provider could take now without having worked for it, as time; the number people see. */
  atRiskMs(): number;
}

export interface ExposureTerms {
  readonly ratePerSecond: bigint;
  /** How far a signature may be ahead, raw units. */
  readonly step: bigint;
  /** Of the channel; grows by top-ups. */
  readonly deposit: () => bigint;
  /** What an earlier life of this payer measured, owed (default: the cost of that time) and signed. */
  readonly before?: { readonly busyMs: number; readonly owed?: bigint | undefined; readonly signed: bigint };
}

export function createExposure({ ratePerSecond, step, deposit, before }: ExposureTerms, clock: Pick<PayerClock, "now">): Exposure {
  const stopwatch = createStopwatch(clock);
  let unclaimedMs = 0;
  let waived = before?.owed === undefined ? 0n : costDown(ratePerSecond, before.busyMs) - before.owed;
  let signed = before?.signed ?? 0n;
  const busyMs = () => (before?.busyMs ?? 0) + stopwatch.busyMs() - unclaimedMs;
  const owed = () => {
    const cost = costDown(ratePerSecond, busyMs());
    return cost > waived ? cost - waived : 0n;
  };

  return {
    get running() {
      return stopwatch.running;
    },
    busyMs,
    start: () => stopwatch.start(),
    agree: (claimedMs, claimedAmount) => {
      unclaimedMs += Math.max(0, busyMs() - claimedMs);
      const more = owed() - claimedAmount;
      if (more > 0n) waived += more;
    },
    owed,
    ceiling: () => {
      const most = owed() + step;
      return most < deposit() ? most : deposit();
    },
    get signed() {
      return signed;
    },
    sign: (amount) => {
      if (amount > signed) signed = amount;
    },
    atRiskMs: () => {
      const ahead = signed - owed();
      return ahead > 0n ? coveredMsDown(ahead, ratePerSecond) : 0;
    },
  };
}
