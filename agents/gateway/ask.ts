import type { Chain, Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costUp } from "@clawcompute/lib/money";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { ChatRequest, SignedReceipt, Signer } from "@clawcompute/lib/protocol";
import { type Attempt, type AttemptLimits, attempt } from "./attempt.ts";
import { type Bill, makeBill, paidOn, paidSoFar } from "./bill.ts";
import { findOffers, type Wanted } from "./discovery.ts";
import type { OpenStream, Payment } from "./payment.ts";
import { lookAhead, MAX_CANDIDATES, preflight } from "./preflight.ts";
import type { ProviderClient } from "./providerClient.ts";
import { planDeposit, type Quote, SHORTEST_SECONDS } from "./quote.ts";

export interface AskRequest extends Wanted {
  readonly prompt: string;
  readonly system?: string | undefined;
  /** Raw units that may be locked up. */
  readonly maxSpend: bigint;
  readonly seconds: number;
  readonly exactSeconds: boolean;
}

/** What happens, as it happens. */
export interface AskObserver {
  quote(quote: Quote): void;
  opened(stream: OpenStream): void;
  /** The request left; from now on the provider's meter may run. */
  requested(stream: OpenStream): void;
  text(text: string): void;
  /** A provider was given up before its first word. */
  failed(offer: Offer, failure: AppError): void;
  ending(stream: OpenStream): void;
}

export interface AskDeps {
  readonly chain: Chain;
  readonly payment: Payment;
  readonly signer: Signer;
  readonly clientOf: (offer: Offer) => ProviderClient;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly observer: AskObserver;
}

export interface AskResult {
  readonly answer: string;
  readonly finishReason: string | undefined;
  /** True unless the model itself ended the answer. */
  readonly truncated: boolean;
  /** Why it is not a whole, honestly billed answer. */
  readonly failure: AppError | undefined;
  readonly quote: Quote | undefined;
  /** The stream that the answer came over, or the last one tried. */
  readonly stream: OpenStream | undefined;
  readonly signed: SignedReceipt | undefined;
  /** What the provider signed for, in ms; undefined when it signed nothing and the chain's clock decided. */
  readonly servedMs: number | undefined;
  readonly bill: Bill | undefined;
  /** Of what was paid: taken by the chain's clock, by a keeper's update or the payee's withdrawal, before the settlement came. */
  readonly beyondServedWei: bigint;
  /** Providers that were given up before their first word. */
  readonly attempts: readonly { readonly providerId: number; readonly code: string }[];
}

/** Providers that may be paid for one request: the first and two more. Looking whether they are there is free and goes further. */
const MAX_PAID_ATTEMPTS = 3;

/**
 * One paid question: the cheapest provider that answers, paid for the time it served. Throws when nothing was opened; from
 * then on it resolves, with `failure` saying what went wrong, and no stream of it is left open if the chain can be reached.
 */
export async function ask(request: AskRequest, deps: AskDeps): Promise<AskResult> {
  const { chain, payment, clientOf, limits, clock, signal, observer, logger } = deps;
  const waiting = (await findOffers(chain, request)).slice(0, MAX_CANDIDATES).map((offer) => ({ offer, lastResort: false }));
  const look = lookAhead((offer) => preflight(clientOf(offer), offer, chain.network.chainId, signal));
  const streams: OpenStream[] = [];
  const attempts: { providerId: number; code: string }[] = [];
  let quote: Quote | undefined;
  let open: OpenStream | undefined;
  let last: Attempt | undefined;
  let failure: AppError | undefined;
  let tried = 0;
  let refusals = 0;

  const giveUp = (offer: Offer, error: AppError) => {
    failure = error;
    attempts.push({ providerId: offer.id, code: error.code });
    observer.failed(offer, error);
    logger.info({ providerId: offer.id, code: error.code, facts: error.facts }, "provider given up");
  };
  const plan = (offer: Offer) => {
    const spent = paidSoFar(chain, streams, payment.transactions);
    const { maxSpend, seconds, exactSeconds } = request;
    return planDeposit(chain, offer, { maxSpend, spent, seconds, exactSeconds, firstTokenMs: limits.firstTokenMs });
  };
  const end = async (stream: OpenStream, settlement: Attempt["settlement"]) => {
    open = undefined;
    observer.ending(stream);
    await payment.end(stream, settlement).catch((thrown: unknown) => {
      throw stillOpen(AppError.from(thrown), stream);
    });
  };
  /** The next provider that is there. Looking is free. */
  const findNext = async (): Promise<Candidate | undefined> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const { offer, lastResort } = next;
      try {
        const { busy } = await look(
          offer,
          waiting.map(({ offer }) => offer),
        );
        if (!busy || lastResort || waiting.length === 0) return { offer, client: clientOf(offer) };
        waiting.push({ offer, lastResort: true });
      } catch (thrown) {
        if (!signal.aborted) giveUp(offer, AppError.from(thrown));
      }
    }
    return undefined;
  };
  const begin = async (offer: Offer): Promise<OpenStream> => {
    const moved = open && (await move(payment, open, offer, clock.now()));
    if (moved) return moved;
    if (open) await end(open, undefined);
    quote = plan(offer);
    observer.quote(quote);
    return payment.open(offer, quote.seconds);
  };

  try {
    while (tried < MAX_PAID_ATTEMPTS) {
      const finding = findNext();
      // Money runs to the provider that failed until its stream is ended or moved on.
      if (open && (last?.settlement || !(await isThereWithin(finding, limits.graceMs / 2, clock)))) await end(open, last?.settlement);
      const candidate = await finding;
      if (!candidate || signal.aborted) break;
      const { offer, client } = candidate;
      try {
        open = await begin(offer);
      } catch (thrown) {
        const error = AppError.from(thrown);
        if (!isOffersFault(error)) throw error;
        giveUp(offer, error);
        continue;
      }
      streams.push(open);
      observer.opened(open);
      tried += 1;
      const stream = open;
      const onText = (text: string) => observer.text(text);
      const onRequest = () => observer.requested(stream);
      last = await attempt({ ...deps, client, stream, request: chatRequestOf(request, offer), onText, onRequest });
      failure = last.failure;
      if (failure && last.answer?.text) failure = brokeOff(failure);
      if (!failure || last.answer?.text || failure.code === "ABORTED") break;
      // One provider's word that the request is at fault is not enough: the cheapest one could stop every question that way.
      if (isClientFault(failure)) refusals += 1;
      if (refusals === 2) break;
      giveUp(offer, failure);
    }
    if (signal.aborted && !last?.answer?.text) failure = new AppError("ABORTED", "Stopped on request.", { cause: signal.reason });
  } catch (thrown) {
    failure = AppError.from(thrown);
  }
  if (open) {
    await end(open, last?.settlement).catch((thrown: unknown) => {
      failure = AppError.from(thrown);
    });
  }
  if (failure && streams.length === 0 && payment.transactions.length === 0) throw withAttempts(failure, attempts);
  const bill = await makeBill(chain, streams, payment.transactions);
  const { answer, signed, servedMs, settlement } = last ?? {};
  const settled = streams.at(-1);
  const beyondServed = settled && settlement ? (await paidOn(chain, settled, payment.transactions)) - settlement.owed : 0n;
  const whole = !failure && ["stop", "tool_calls"].includes(answer?.finishReason ?? "");
  return {
    answer: answer?.text ?? "",
    finishReason: answer?.finishReason,
    truncated: !whole,
    failure: failure ?? (whole ? undefined : cutShort(answer?.finishReason, signed)),
    quote,
    stream: streams.at(-1),
    signed,
    servedMs,
    bill,
    beyondServedWei: beyondServed > 0n ? beyondServed : 0n,
    attempts,
  };
}

interface Candidate {
  readonly offer: Offer;
  readonly client: ProviderClient;
}

async function isThereWithin(finding: Promise<Candidate | undefined>, ms: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(
    () => undefined,
    () => undefined,
  );
  const found = await Promise.race([finding, late]);
  over.abort();
  return found !== undefined;
}

/** The rest of the deposit goes to the next provider in one transaction, when enough of it is left there. */
async function move(payment: Payment, stream: OpenStream, offer: Offer, nowMs: number): Promise<OpenStream | undefined> {
  const left = stream.deposit - costUp(stream.ratePerSecond, nowMs - stream.openedAtMs);
  if (left < offer.pricePerSecond * BigInt(SHORTEST_SECONDS)) return undefined;
  try {
    return await payment.redirect(stream, offer);
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (error.code.startsWith("STREAM_PAY_") || error.code === "TRANSACTION_REVERTED") return undefined;
    throw error;
  }
}

function chatRequestOf({ prompt, system }: AskRequest, { model }: Offer): ChatRequest {
  const messages = [...(system === undefined ? [] : [{ role: "system", content: system }]), { role: "user", content: prompt }];
  return { model, messages };
}

/** The request itself is refused: the next provider would refuse it too, and this one is not to blame. */
export function isClientFault({ code }: AppError): boolean {
  return ["BAD_REQUEST", "BAD_JSON", "BODY_TOO_LARGE", "CONTEXT_TOO_LONG", "OUTPUT_CAP_TOO_HIGH", "UPSTREAM_REFUSED"].includes(code);
}

/** The opening was refused because of this offer: raised price, taken back, sold. Another one may do. */
function isOffersFault({ code }: AppError): boolean {
  return code.startsWith("STREAM_PAY_") || code.startsWith("COMPUTE_REGISTRY_") || code === "TRANSACTION_REVERTED";
}

function stillOpen(error: AppError, { id }: OpenStream): AppError {
  return new AppError(error.code, `Stream ${id} may still be open: ${error.message}`, {
    facts: { ...error.facts, streamId: String(id) },
    hint: "Run `claw stop`; at its end the stream stops by itself.",
    cause: error,
  });
}

/** Whatever ended it: words came, and then no end. */
function brokeOff(error: AppError): AppError {
  if (["ANSWER_CUT", "PROVIDER_DISHONEST", "ABORTED"].includes(error.code)) return error;
  return new AppError("ANSWER_CUT", `The answer broke off: ${error.message}`, {
    facts: { ...error.facts, reason: error.code },
    cause: error,
  });
}

function cutShort(finishReason: string | undefined, signed: SignedReceipt | undefined): AppError {
  const ranDry = signed?.receipt.reason === "runway";
  return new AppError("ANSWER_CUT", ranDry ? "The deposit ran out before the answer's end." : `The answer was cut (${finishReason}).`, {
    facts: { finishReason: finishReason ?? null, reason: signed?.receipt.reason ?? null },
    hint: ranDry ? "Ask again with more --seconds." : "Only the time served was paid.",
  });
}

function withAttempts(error: AppError, attempts: AskResult["attempts"]): AppError {
  if (attempts.length < 2) return error;
  return new AppError(error.code, error.message, {
    facts: { ...error.facts, attempts: attempts.map(({ providerId, code }) => `${providerId}: ${code}`) },
    ...(error.hint ? { hint: error.hint } : {}),
    ...(error.param ? { param: error.param } : {}),
    cause: error,
  });
}
