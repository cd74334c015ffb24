import type { Hex } from "viem";
import { AppError } from "../../errors/index.ts";
import { coveredMsDown } from "../../money/index.ts";
import type { Exposure } from "./exposure.ts";
import type { PayerClock } from "./stopwatch.ts";

export interface SignedVoucher {
  /** Everything the payee has earned so far, raw units. */
  readonly cumulativeAmount: bigint;
  readonly signature: Hex;
}

/** The vouchers of one channel: each request carries the newest, and while requests run further ones go ahead of need. */
export interface Vouchers {
  /** The newest; a further one when it covers less than three quarters of a step. */
  newest(): Promise<SignedVoucher>;
  /** Sends further ones until no request is under way. */
  keepAhead(): void;
  /** The provider wants one: it gets what this side's measure allows. False: it claims to be owed more than that already. */
  asked(required: bigint): boolean;
  /** No request is under way any more. */
  rest(): void;
}

export interface VouchersOptions {
  readonly exposure: Exposure;
  readonly ratePerSecond: bigint;
  readonly step: bigint;
  readonly sign: (cumulativeAmount: bigint) => Promise<Hex>;
  /** To the provider, beside the answers under way. */
  readonly send: (voucher: SignedVoucher) => Promise<void>;
  readonly clock: PayerClock;
  readonly logger?: { debug(fields: object, message: string): void };
}

/** Between two looks, when the deposit or the provider's silence leaves nothing to sign. */
const SHORTEST_WAIT_MS = 50;

export function createVouchers({ exposure, ratePerSecond, step, sign, send, clock, logger }: VouchersOptions): Vouchers {
  let newest: SignedVoucher | undefined;
  let signing: Promise<SignedVoucher> | undefined;
  let delivered = 0n;
  let pumping = false;
  let wake = new AbortController();

  // A provider asks at half a step, and its clock may be a little ahead of this one.
  const low = (step * 3n) / 4n;
  const isLow = () => newest === undefined || newest.cumulativeAmount - exposure.owed() < low;

  async function signNext(): Promise<SignedVoucher> {
    const cumulativeAmount = exposure.ceiling();
    if (newest && cumulativeAmount <= newest.cumulativeAmount) return newest;
    exposure.sign(cumulativeAmount);
    newest = { cumulativeAmount, signature: await sign(cumulativeAmount) };
    return newest;
  }

  function next(): Promise<SignedVoucher> {
    signing ??= signNext().finally(() => {
      signing = undefined;
    });
    return signing;
  }

  async function deliver(): Promise<void> {
    const voucher = isLow() ? await next() : (newest as SignedVoucher);
    if (voucher.cumulativeAmount <= delivered) return;
    try {
      await send(voucher);
      delivered = voucher.cumulativeAmount;
    } catch (thrown) {
      // The answer itself shows whether the provider is gone; until then the next one says the same.
      logger?.debug({ code: AppError.from(thrown).code }, "a voucher was not taken");
    }
  }

  /** Until what the provider has is low. */
  const untilLowMs = () => {
    const rest = delivered - exposure.owed() - low;
    return Math.max(SHORTEST_WAIT_MS, rest > 0n ? coveredMsDown(rest, ratePerSecond) + 1 : 0);
  };

  async function run(): Promise<void> {
    while (exposure.running > 0) {
      await clock.sleep(untilLowMs(), wake.signal).catch(() => {});
      if (wake.signal.aborted) wake = new AbortController();
      if (exposure.running > 0) await deliver();
    }
  }

  return {
    newest: async () => {
      const voucher = isLow() ? await next() : (newest as SignedVoucher);
      // It goes out with a request.
      if (voucher.cumulativeAmount > delivered) delivered = voucher.cumulativeAmount;
      return voucher;
    },
    keepAhead: () => {
      if (pumping) return;
      pumping = true;
      void run().finally(() => {
        pumping = false;
      });
    },
    asked: (required) => {
      if (required - step > exposure.ceiling()) return false;
      // What was sent may have been lost.
      delivered = 0n;
      wake.abort();
      return true;
    },
    rest: () => wake.abort(),
  };
}
