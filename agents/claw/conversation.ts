import type { Chain, Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown, costUp } from "@clawcompute/lib/money";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { ChatRequest, SignedReceipt } from "@clawcompute/lib/protocol";
import { type Answer, readAnswer } from "../gateway/answer.ts";
import { isClientFault } from "../gateway/ask.ts";
import type { AttemptLimits } from "../gateway/attempt.ts";
import { findOffers, type Wanted } from "../gateway/discovery.ts";
import { lookAhead, MAX_CANDIDATES, preflight } from "../gateway/preflight.ts";
import type { ProviderClient } from "../gateway/providerClient.ts";
import { confirmationMs, planDeposit, type Quote } from "../gateway/quote.ts";
import type { Cover, Ending, Rail } from "../gateway/streams/cover.ts";

/** One question and what became of it. */
export interface Turn {
  readonly offer: Offer;
  readonly streamId: string;
  readonly answer: Answer | undefined;
  readonly signed: SignedReceipt | undefined;
  /** By the receipt; without one, the most that was measured here. Raw units. */
  readonly costWei: bigint;
  /** Why it is not a whole, honestly billed answer. */
  readonly failure: AppError | undefined;
  /** Providers that were given up before their first word. */
  readonly attempts: readonly { readonly providerId: number; readonly code: string }[];
}

/** What happens, as it happens. */
export interface ConversationObserver {
  quote(quote: Quote): void;
  opened(cover: Cover): void;
  toppedUp(cover: Cover, seconds: number): void;
  requested(cover: Cover): void;
  text(text: string): void;
  failed(offer: Offer, failure: AppError): void;
  receipt(cover: Cover, signed: SignedReceipt): void;
  ending(cover: Cover): void;
  ended(cover: Cover, ending: Ending): void;
}

/** Answers over one stream after another; at most one is open. Calls wait for each other. */
export interface Conversation {
  /** Throws when no provider was asked; from then on `failure` tells what went wrong. */
  send(messages: ChatRequest["messages"], wanted: Wanted, options: SendOptions): Promise<Turn>;
  /** One look at the open stream: it is settled before its time runs out unused. */
  tick(): Promise<void>;
  /** Settles the open stream, if there is one. Throws when it may still be open. */
  end(): Promise<void>;
  state(): ConversationState;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly onText?: (text: string) => void;
  readonly maxTokens?: number | undefined;
}

export interface ConversationState {
  readonly open: Cover | undefined;
  readonly endings: readonly Ending[];
  /** Paid by ended streams, and what the open one owes by its receipts or by the stopwatch. Raw units. */
  readonly spentWei: bigint;
  readonly feeWei: bigint;
}

export interface ConversationOptions {
  readonly chain: Chain;
  readonly rail: Rail;
  readonly clientOf: (offer: Offer) => ProviderClient;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: ConversationObserver;
  /** What all of it may cost: what was paid and what is deposited, raw units. */
  readonly maxSpend: bigint;
  /** Time that a deposit covers, and that a top-up adds. */
  readonly seconds: number;
  readonly exactSeconds: boolean;
}

const MAX_PAID_ATTEMPTS = 3;
/** A question is not sent with less runway than this. */
const MIN_RUNWAY_MS = 5_000;
const WATCH_MS = 500;
/** Refusals that mean the stream, not the provider. */
const staleCodes = [
  "TOKEN_UNKNOWN",
  "TOKEN_EXPIRED",
  "TOKEN_MISSING",
  "STREAM_ENDED",
  "STREAM_SETTLING",
  "STREAM_UNKNOWN",
  "RUNWAY_TOO_SHORT",
];

export function createConversation(options: ConversationOptions): Conversation {
  const { chain, rail, clientOf, limits, clock, logger, observer } = options;
  const endings: Ending[] = [];
  const failedBefore = new Set<number>();
  let open: Cover | undefined;
  let owedWei = 0n;
  let queue: Promise<unknown> = Promise.resolve();

  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };
  const paid = () => endings.reduce((total, { bill }) => total + bill.paidWei, 0n);

  async function endOpen(): Promise<void> {
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
    const fits = room <= 0n ? 0n : room / cover.ratePerSecond;
    const seconds = fits < BigInt(options.seconds) ? Number(fits) : options.seconds;
    if (seconds < 1) return false;
    await rail.topUp(cover, seconds);
    observer.toppedUp(cover, seconds);
    return true;
  }

  const fits = ({ offer }: Cover, { model, providerId, maxPrice }: Wanted) =>
    (model === undefined || offer.model === model) &&
    (providerId === undefined || offer.id === providerId) &&
    (maxPrice === undefined || offer.pricePerSecond <= maxPrice);

  /** The open stream with enough runway, or undefined. */
  async function reuse(wanted: Wanted): Promise<Cover | undefined> {
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
    await endOpen();
    return undefined;
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

  async function askOnce(
    cover: Cover,
    messages: ChatRequest["messages"],
    { signal, onText, maxTokens }: SendOptions,
  ): Promise<Omit<Turn, "attempts">> {
    const { offer, ratePerSecond } = cover;
    const release = cover.use();
    const sentAtMs = clock.now();
    const stopProlonging = keepRunning(cover);
    let answer: Answer | undefined;
    let signed: SignedReceipt | undefined;
    let failure: AppError | undefined;
    observer.requested(cover);
    try {
      const request: ChatRequest = { model: offer.model, messages, ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }) };
      const headersMs = Math.min(limits.headersMs, limits.firstTokenMs);
      const stream = await cover.chat(request, { headersMs, signal });
      answer = await readAnswer(stream, {
        clock,
        sentAtMs,
        firstTokenMs: Math.max(1, limits.firstTokenMs - (clock.now() - sentAtMs)),
        stallMs: limits.stallMs,
        signal,
        onText: (text) => {
          observer.text(text);
          onText?.(text);
        },
      });
      failure = answer.failure;
      if (answer.signed !== undefined) {
        signed = await cover.verify(answer.signed, answer);
        observer.receipt(cover, signed);
      } else if (!failure) failure = new AppError("PROVIDER_DISHONEST", "The provider sent no receipt with its answer.");
    } catch (thrown) {
      const error = AppError.from(thrown);
      failure = error.code === "PROVIDER_DISHONEST" ? error : (failure ?? error);
    } finally {
      release();
      await stopProlonging();
    }
    if (signed) owedWei = signed.receipt.cumulativeAmount;
    else owedWei = costDown(ratePerSecond, cover.busyMs);
    const costWei = signed ? signed.receipt.amount : answer ? costUp(ratePerSecond, answer.measuredMs) : 0n;
    return { offer, streamId: cover.id, answer, signed, costWei, failure: failure ?? cutShort(answer, signed) };
  }

  async function send(messages: ChatRequest["messages"], wanted: Wanted, sending: SendOptions): Promise<Turn> {
    const { signal } = sending;
    const attempts: { providerId: number; code: string }[] = [];
    let last: Omit<Turn, "attempts"> | undefined;
    let refused: AppError | undefined;
    const giveUp = (offer: Offer, error: AppError) => {
      refused = error;
      failedBefore.add(offer.id);
      attempts.push({ providerId: offer.id, code: error.code });
      observer.failed(offer, error);
    };
    let waiting: Offer[] | undefined;
    const foundBusy = new Set<Offer>();
    const look = lookAhead((offer) => preflight(clientOf(offer), offer, chain.network.chainId, signal));
    const findNext = async (): Promise<Offer | undefined> => {
      waiting ??= (await findOffers(chain, wanted))
        .sort((a, b) => Number(failedBefore.has(a.id)) - Number(failedBefore.has(b.id)))
        .slice(0, MAX_CANDIDATES);
      for (let offer = waiting.shift(); offer && !signal.aborted; offer = waiting.shift()) {
        try {
          const { busy } = await look(offer, waiting);
          if (!busy || foundBusy.has(offer) || waiting.length === 0) return offer;
          foundBusy.add(offer);
          waiting.push(offer);
        } catch (thrown) {
          if (!signal.aborted) giveUp(offer, AppError.from(thrown));
        }
      }
      return undefined;
    };
    const begin = async (offer: Offer): Promise<Cover | undefined> => {
      const { maxSpend, seconds, exactSeconds } = options;
      const quote = planDeposit(chain, offer, { maxSpend, spent: paid(), seconds, exactSeconds, firstTokenMs: limits.firstTokenMs });
      observer.quote(quote);
      try {
        open = await rail.open(offer, quote.seconds);
      } catch (thrown) {
        const error = AppError.from(thrown);
        if (!/^(STREAM_PAY|COMPUTE_REGISTRY)_/.test(error.code) && error.code !== "TRANSACTION_REVERTED") throw error;
        giveUp(offer, error);
        return undefined;
      }
      observer.opened(open);
      try {
        await rail.connect(open);
        return open;
      } catch (thrown) {
        giveUp(offer, AppError.from(thrown));
        await endOpen();
        return undefined;
      }
    };

    let stale = 0;
    for (let tried = 0; tried < MAX_PAID_ATTEMPTS && !signal.aborted; ) {
      let cover = await reuse(wanted);
      if (!cover) {
        const offer = await findNext();
        if (!offer) break;
        tried += 1;
        cover = await begin(offer);
        if (!cover) continue;
      }
      last = await askOnce(cover, messages, sending);
      const { failure, answer } = last;
      if (!failure || (answer?.text ?? "") !== "" || failure.code === "ABORTED" || isClientFault(failure)) break;
      if (staleCodes.includes(failure.code) && stale === 0) {
        stale += 1;
        waiting?.unshift(cover.offer);
      } else giveUp(cover.offer, failure);
      await endOpen();
    }
    if (last?.failure?.code === "PROVIDER_DISHONEST" && open) {
      failedBefore.add(open.offer.id);
      await endOpen();
    }
    if (last) return { ...last, attempts };
    if (signal.aborted) throw new AppError("ABORTED", "Stopped on request.", { cause: signal.reason });
    throw refused ?? new AppError("NO_PROVIDER", "No provider could be asked.");
  }

  return {
    send: (messages, wanted, sending) => alone(() => send(messages, wanted, sending)),
    tick: () =>
      alone(async () => {
        if (!open) return;
        await rail.tick();
        // The provider still has to sign and a block has to take it, before the clock or a keeper makes all of it final.
        if (open.runwayMs() < limits.settleMs + confirmationMs(chain.network) + MIN_RUNWAY_MS) await endOpen();
      }),
    end: () => alone(endOpen),
    state: () => ({
      open,
      endings,
      spentWei: paid() + (open ? owedWei : 0n),
      feeWei: endings.reduce((total, { bill }) => total + bill.feeWei, 0n),
    }),
  };
}

function cutShort(answer: Answer | undefined, signed: SignedReceipt | undefined): AppError | undefined {
  if (!answer || ["stop", "tool_calls"].includes(answer.finishReason ?? "")) return undefined;
  const ranDry = signed?.receipt.reason === "runway";
  return new AppError(
    "ANSWER_CUT",
    ranDry ? "The deposit ran out before the answer's end." : `The answer was cut (${answer.finishReason}).`,
    {
      facts: { finishReason: answer.finishReason ?? null, reason: signed?.receipt.reason ?? null },
      hint: ranDry ? "Allow a larger --max-spend." : "Only the time served was paid.",
    },
  );
}
