import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import type { Wanted } from "../gateway/discovery.ts";
import { confirmationMs, planDeposit } from "../gateway/quote.ts";
import type { Cover, Ending } from "../gateway/streams/cover.ts";
import type { Reply } from "./askOver.ts";
import type { ConversationOptions } from "./conversationTerms.ts";

/** The stream that a conversation pays with: at most one is open, and all of them together stay within the limit. */
export interface OpenStream {
  current(): Cover | undefined;
  /** Opens one to this offer. Throws DEPOSIT_ABOVE_LIMIT and what stops the payer; what the chain refuses is returned. */
  begin(offer: Offer): Promise<Cover | AppError>;
  /** The open one where it fits and has, or gets, enough runway; otherwise it is ended. */
  reuse(wanted: Wanted): Promise<Cover | undefined>;
  /** Prolongs it while `work` runs, and notes what is owed after it. */
  during(cover: Cover, work: () => Promise<Reply>): Promise<Reply>;
  /** Ends it before its time runs out unused. */
  tick(): Promise<void>;
  /** Throws when it may still be open. */
  end(): Promise<void>;
  state(): ConversationState;
}

export interface ConversationState {
  readonly open: Cover | undefined;
  readonly endings: readonly Ending[];
  /** Paid by ended streams, and what the open one owes by its receipts or by the stopwatch. Raw units. */
  readonly spentWei: bigint;
  readonly feeWei: bigint;
}

/** A question is not sent with less runway than this. */
const MIN_RUNWAY_MS = 5_000;
const WATCH_MS = 500;

export function createOpenStream(options: ConversationOptions): OpenStream {
  const { chain, rail, limits, logger, observer } = options;
  const endings: Ending[] = [];
  let open: Cover | undefined;
  let owedWei = 0n;

  const paid = () => endings.reduce((total, { bill }) => total + bill.paidWei, 0n);

  async function end(): Promise<void> {
    const cover = open;
    if (!cover) return;
    open = undefined;
    observer.ending(cover);
    try {
      const ending = await rail.end(cover);
      endings.push(ending);
      owedWei = 0n;
      observer.ended(cover, ending);
    } catch (thrown) {
      const error = AppError.from(thrown);
      throw new AppError(error.code, `Stream ${cover.id} may still be open: ${error.message}`, {
        facts: { ...error.facts, streamId: cover.id },
        hint: "Run `claw stop`; at its end the stream stops by itself.",
        cause: error,
      });
    }
  }

  /** As many seconds more as the limit allows; false when that is none. */
  async function topUp(cover: Cover): Promise<boolean> {
    const room = options.maxSpend - paid() - cover.depositWei;
    const affordable = room <= 0n ? 0n : room / cover.ratePerSecond;
    const seconds = affordable < BigInt(options.seconds) ? Number(affordable) : options.seconds;
    if (seconds < 1) return false;
    await rail.topUp(cover, seconds);
    observer.toppedUp(cover, seconds);
    return true;
  }

  /** Prolongs the stream while an answer runs; the returned function stops that and waits for what was sent. */
  function keepRunning(cover: Cover): () => Promise<void> {
    let prolonging: Promise<unknown> | undefined;
    let exhausted = false;
    const timer = setInterval(() => {
      if (prolonging || exhausted || cover.runwayMs() >= options.seconds * 500) return;
      prolonging = topUp(cover)
        .then((done) => {
          exhausted = !done;
        })
        .catch((thrown: unknown) => {
          exhausted = true;
          logger.warn({ streamId: cover.id, code: AppError.from(thrown).code }, "the stream is not prolonged");
        })
        .finally(() => {
          prolonging = undefined;
        });
    }, WATCH_MS);
    return async () => {
      clearInterval(timer);
      await prolonging;
    };
  }

  return {
    current: () => open,
    begin: async (offer) => {
      const { maxSpend, seconds, exactSeconds } = options;
      const quote = planDeposit(chain, offer, { maxSpend, spent: paid(), seconds, exactSeconds, firstTokenMs: limits.firstTokenMs });
      observer.quote(quote);
      try {
        open = await rail.open(offer, quote.seconds);
      } catch (thrown) {
        const error = AppError.from(thrown);
        if (/^(STREAM_PAY|COMPUTE_REGISTRY)_/.test(error.code) || error.code === "TRANSACTION_REVERTED") return error;
        throw error;
      }
      observer.opened(open);
      return open;
    },
    reuse: async (wanted) => {
      if (!open) return undefined;
      await rail.tick().catch((thrown: unknown) => logger.info({ code: AppError.from(thrown).code }, "the chain's clock cannot be read"));
      if (fits(open, wanted)) {
        if (open.runwayMs() >= MIN_RUNWAY_MS) return open;
        const inTime = open.runwayMs() > confirmationMs(chain.network) + 1_000;
        const refused = (thrown: unknown) => {
          logger.info({ code: AppError.from(thrown).code }, "the stream is not prolonged");
          return false;
        };
        if (inTime && (await topUp(open).catch(refused)) && open.runwayMs() >= MIN_RUNWAY_MS) return open;
      }
      await end();
      return undefined;
    },
    during: async (cover, work) => {
      const stopProlonging = keepRunning(cover);
      const reply = await work().finally(stopProlonging);
      owedWei = reply.signed ? reply.signed.receipt.cumulativeAmount : costDown(cover.ratePerSecond, cover.busyMs);
      return reply;
    },
    tick: async () => {
      if (!open) return;
      await rail.tick();
      // The provider still has to sign and a block has to take it, before the clock or a keeper makes all of it final.
      if (open.runwayMs() < limits.settleMs + confirmationMs(chain.network) + MIN_RUNWAY_MS) await end();
    },
    end,
    state: () => ({
      open,
      endings,
      spentWei: paid() + (open ? owedWei : 0n),
      feeWei: endings.reduce((total, { bill }) => total + bill.feeWei, 0n),
    }),
  };
}

const fits = ({ offer }: Cover, { model, providerId, maxPrice }: Wanted): boolean =>
  (model === undefined || offer.model === model) &&
  (providerId === undefined || offer.id === providerId) &&
  (maxPrice === undefined || offer.pricePerSecond <= maxPrice);
