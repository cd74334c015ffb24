import { type Chain, chainTimeMs, type Offer, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { decodeSignedReceipt, type Settlement, type Signer } from "@clawcompute/lib/protocol";
import { createStopwatch } from "@clawcompute/lib/protocol/payments";
import { type AttemptLimits, openSession } from "../attempt.ts";
import { makeBill } from "../bill.ts";
import { createPayment, type OpenStream, type Payment, type PaymentTransaction } from "../payment.ts";
import { bearer, type ProviderClient } from "../providerClient.ts";
import { classify, saidByProvider } from "../selection/faults.ts";
import { checkClaim, verifyReceipt, verifySettlement } from "../verify.ts";
import type { Cover, Rail } from "./cover.ts";

export interface StreamRailOptions {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly signer: Signer;
  readonly clientOf: (offer: Offer) => ProviderClient;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A transaction was mined. */
  readonly onTransaction: (transaction: PaymentTransaction) => void;
}

interface Parts {
  stream: OpenStream;
  readonly payment: Payment;
  readonly client: ProviderClient;
  token: string | undefined;
}

/** Covers that are streams of StreamPay. */
export function createStreamRail(options: StreamRailOptions): Rail {
  const { chain, sender, signer, clientOf, limits, clock, logger, onTransaction } = options;
  const partsOf = new WeakMap<Cover, Parts>();
  // A block's news is late by an unknown time, so the least late one is right.
  let chainAheadMs = Number.NEGATIVE_INFINITY;
  const observe = (timestampMs: number, atMs = clock.now()) => {
    chainAheadMs = Math.max(chainAheadMs, timestampMs - atMs);
  };

  const parts = (cover: Cover): Parts => {
    const found = partsOf.get(cover);
    if (!found) throw new AppError("INTERNAL", "This cover is no stream.");
    return found;
  };
  const tokenOf = ({ token }: Parts): string => {
    if (token === undefined) throw new AppError("INTERNAL", "The stream has no session yet.");
    return token;
  };
  const report = (payment: Payment, from: number) => {
    for (const transaction of payment.transactions.slice(from)) onTransaction(transaction);
  };

  function coverOf(stream: OpenStream, payment: Payment): Cover {
    const { offer } = stream;
    const own: Parts = { stream, payment, client: clientOf(offer), token: undefined };
    const stopwatch = createStopwatch(clock);
    observe(stream.start * 1000, stream.openedAtMs);
    let answers = 0;
    const cover: Cover = {
      kind: "stream",
      id: String(stream.id),
      offer,
      ratePerSecond: stream.ratePerSecond,
      client: own.client,
      chat: (request, options) => own.client.chat(bearer(tokenOf(own)), request, options),
      send: (path, request) => own.client.send(bearer(tokenOf(own)), path, request),
      get depositWei() {
        return own.stream.deposit;
      },
      openedAtMs: stream.openedAtMs,
      get uses() {
        return stopwatch.running;
      },
      get busyMs() {
        return stopwatch.busyMs();
      },
      runwayMs: () => Math.max(0, own.stream.end * 1000 - (clock.now() + chainAheadMs)),
      use: () => {
        answers += 1;
        return stopwatch.start();
      },
      verify: async (sent, { bodyHash, measuredMs }) => {
        const { receipt } = decodeSignedReceipt(sent);
        // Answers that overlap end in any order, and one that broke off leaves a receipt that never came: its predecessor is taken
        // from the receipt itself, and the sum is held against the stopwatch instead.
        const { cumulativeServedMs, servedMs, previousReceiptHash } = receipt;
        const previousServedMs = cumulativeServedMs - servedMs;
        const signed = await verifyReceipt(chain, own.stream, sent, { bodyHash, measuredMs, previousReceiptHash, previousServedMs });
        const mostMs = stopwatch.busyMs() + TOLERANCE_MS * answers;
        if (cumulativeServedMs > mostMs) {
          throw new AppError("PROVIDER_DISHONEST", "The receipt claims more time for the stream than was measured here.", {
            facts: { claimedMs: cumulativeServedMs, measuredMs: Math.round(mostMs) },
          });
        }
        return signed;
      },
    };
    partsOf.set(cover, own);
    return cover;
  }

  /** The provider's signature under what is owed; a claim above the stopwatch is used all the same, because the clock would take more. */
  async function askSettlement(cover: Cover): Promise<{ settlement: Settlement; servedMs: number; lie: AppError | undefined } | undefined> {
    const { stream, client, token } = parts(cover);
    if (token === undefined) return undefined;
    try {
      const response = await client.settle(token, AbortSignal.timeout(limits.settleMs));
      await verifySettlement(chain, stream, response.settlement);
      let lie: AppError | undefined;
      try {
        checkClaim(stream, response, cover.busyMs);
      } catch (thrown) {
        lie = AppError.from(thrown);
      }
      return { settlement: response.settlement, servedMs: response.servedMs, lie };
    } catch (thrown) {
      logger.info({ streamId: cover.id, code: AppError.from(thrown).code }, "no settlement from the provider; the chain's clock decides");
      return undefined;
    }
  }

  return {
    kind: "stream",
    open: async (offer, seconds) => {
      const payment = createPayment({ chain, sender, clock, logger });
      const stream = await payment.open(offer, seconds);
      report(payment, 0);
      return coverOf(stream, payment);
    },
    connect: async (cover) => {
      const own = parts(cover);
      const { stream, client } = own;
      const session = { chain, signer, client, stream, limits, clock, signal: AbortSignal.timeout(limits.firstTokenMs) };
      const deadlineMs = clock.now() + limits.firstTokenMs;
      // The stream is paid for already: one that has no room for a moment is worth waiting for.
      for (const patientUntilMs = clock.now() + BUSY_MS; own.token === undefined; ) {
        try {
          own.token = (await openSession(session, deadlineMs)).token;
        } catch (thrown) {
          const error = saidByProvider(thrown);
          const waitMs = Math.min(1_000, (error.retryAfterSeconds ?? 0.5) * 1000);
          if (classify(error) !== "busy" || clock.now() + waitMs > patientUntilMs) throw error;
          await clock.sleep(waitMs);
        }
      }
    },
    topUp: async (cover, seconds) => {
      const own = parts(cover);
      const from = own.payment.transactions.length;
      own.stream = await own.payment.topUp(own.stream, seconds);
      report(own.payment, from);
    },
    move: async (cover, offer) => {
      const own = parts(cover);
      const from = own.payment.transactions.length;
      const stream = await own.payment.redirect(own.stream, offer);
      report(own.payment, from);
      return coverOf(stream, createPayment({ chain, sender, clock, logger }));
    },
    end: async (cover) => {
      const own = parts(cover);
      const from = own.payment.transactions.length;
      const answer = await askSettlement(cover);
      if (answer?.lie) logger.warn({ streamId: cover.id, facts: answer.lie.facts }, "the provider claims more time than was measured");
      await own.payment.end(own.stream, answer?.settlement);
      report(own.payment, from);
      const settled = own.payment.transactions.slice(from).some(({ kind }) => kind === "settle");
      return { bill: await makeBill(chain, [own.stream], own.payment.transactions), servedMs: settled ? answer?.servedMs : undefined };
    },
    bill: (cover) => makeBill(chain, [parts(cover).stream], parts(cover).payment.transactions),
    tick: async () => observe(await chainTimeMs(chain)),
  };
}

const BUSY_MS = 3_000;
/** For each answer: the provider's clock starts and stops elsewhere. */
const TOLERANCE_MS = 250;
