import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costUp, coveredMsDown } from "@clawcompute/lib/money";
import type { SignedReceipt } from "@clawcompute/lib/protocol";
import type { Answer } from "../answer.ts";
import { type Look, lookAhead, MAX_CANDIDATES, preflight } from "../preflight.ts";
import { chooseOffers, service } from "../selection/choose.ts";
import { type ContextLengths, estimateTokens } from "../selection/contextLengths.ts";
import type { Experience, GoodAnswer } from "../selection/experience.ts";
import { classify, saidByProvider } from "../selection/faults.ts";
import type { Place } from "../selection/places.ts";
import type { Ranked } from "../selection/rank.ts";
import type { Cover } from "../streams/cover.ts";
import type { AnswerSource, AttemptRecord, ChatDeps, ChatJob, Try } from "./chatJob.ts";
import { pass } from "./pass.ts";

/** Requests that may be sent out for one of the client's. Looking whether somebody is there costs nothing and goes further. */
const MAX_SENT = 3;
const BUSY_ROUNDS = 3;
/** Attempts that an error names, the last ones. */
const MAX_NAMED = 12;
const LONGEST_BUSY_WAIT_MS = 2_000;
/** How long a request waits for its turn where providers take no more at once. */
export const PLACE_WAIT_MS = 20_000;
const ONCE_MORE_MS = 5_000;
const ONCE_MORE_AFTER_MS = 300;

/** What the network did about a request. */
export interface NetworkAnswer {
  readonly done: Try;
  readonly ranked: readonly Ranked[];
}

/** Throws when no word of an answer came; what was tried is in `attempts` either way. Nothing is paid twice (P8). */
export async function answerOnNetwork(deps: ChatDeps, job: ChatJob, mostWei: bigint, attempts: AttemptRecord[]): Promise<NetworkAnswer> {
  const { choose, pool, places, contexts, experience, clock, logger } = deps;
  const { client, choice, signal, outlet } = job;
  const rank = async (withinMs?: number) => longEnough(await chooseOffers(choose, choice, client, service.text, withinMs), job, contexts);
  let ranked = await rank();
  checkEstimate(ranked, job.maxCostWei, choose.asset.symbol);
  const startedAtMs = clock.now();
  let last: AppError | undefined;
  let sent = 0;

  for (let round = 1; ; round += 1) {
    const waiting = ranked.slice(0, MAX_CANDIDATES).map((entry) => ({ entry, lastResort: false }));
    const look = lookAhead((offer) => lookAt(deps, offer, signal));
    let busyOnly = true;
    let retryAfterMs = 1_000;
    for (let next = waiting.shift(); next && sent < MAX_SENT && !signal.aborted; next = waiting.shift()) {
      const { offer } = next.entry;
      let cover: Cover | undefined;
      let place: Place | undefined;
      // Everybody is asked before anybody is waited for.
      if (!next.lastResort && waiting.length > 0 && places.isFull(offer.id)) {
        waiting.push({ entry: next.entry, lastResort: true });
        continue;
      }
      try {
        if (places.isFull(offer.id)) outlet.waiting?.(`waiting for a place at provider ${offer.id}`);
        place = await places.take(offer.id, startedAtMs + PLACE_WAIT_MS, signal);
        if (!pool.isWarm(offer.id)) {
          const { busy } = await look(
            offer,
            waiting.map(({ entry }) => entry.offer),
          );
          if (busy && !next.lastResort && waiting.length > 0) {
            waiting.push({ entry: next.entry, lastResort: true });
            continue;
          }
          outlet.waiting?.(`opening a stream to provider ${offer.id}`);
        }
        // An opening counts as well: it puts money at stake.
        sent += 1;
        const done = await tryOffer(deps, job, offer, mostWei, (used) => {
          cover = used;
        });
        if (done.begun) {
          judge(experience, done, offer);
          return { done, ranked };
        }
        throw done.failure ?? new AppError("PROVIDER_FAILED", "The provider's answer is empty.");
      } catch (thrown) {
        if (signal.aborted) break;
        const error = AppError.from(thrown);
        last = error;
        attempts.push({ providerId: offer.id, code: error.code });
        logger.info({ requestId: job.requestId, providerId: offer.id, code: error.code, facts: error.facts }, "not answered there");
        switch (classify(error)) {
          case "client":
            throw error;
          case "own": {
            if (error.code === "BUDGET_EXCEEDED" && error.facts.usedWei !== undefined) throw error;
            // Without new streams, providers that are already paid can still answer.
            const warm = waiting.filter(({ entry }) => pool.isWarm(entry.offer.id));
            if (warm.length === 0 || error.code === "TRANSACTION_UNCERTAIN") throw error;
            waiting.splice(0, waiting.length, ...warm);
            busyOnly = false;
            break;
          }
          case "busy":
            retryAfterMs = Math.max(retryAfterMs, (error.retryAfterSeconds ?? 1) * 1000);
            if (!place) break;
            place.refused(error);
            // Refused without cost: its turn comes.
            if (cover) {
              sent -= 1;
              if (clock.now() - startedAtMs < PLACE_WAIT_MS) waiting.push({ entry: next.entry, lastResort: true });
            } else experience.busy(offer.id, Math.min(retryAfterMs, 60_000));
            break;
          case "offer":
            busyOnly = false;
            experience.busy(offer.id, 5_000);
            if (cover) pool.retire(cover);
            break;
          default:
            busyOnly = false;
            experience.failed(offer.id, error.code);
            if (cover) pool.retire(cover, error.code === "PROVIDER_UNREACHABLE" || error.code === "PROVIDER_TIMEOUT");
        }
      } finally {
        place?.release();
      }
    }
    if (signal.aborted) throw new AppError("CLIENT_GONE", "The client went away before the first word.");
    // A fault of a moment, such as a late answer to the first question, is worth one more look while it costs nothing.
    const onceMore = round === 1 && sent < MAX_SENT - 1 && clock.now() - startedAtMs < ONCE_MORE_MS;
    const waitedOut = clock.now() - startedAtMs >= PLACE_WAIT_MS;
    if ((!busyOnly && !onceMore) || round >= BUSY_ROUNDS || sent >= MAX_SENT || waitedOut)
      throw nobodyAnswered(attempts, last, busyOnly, retryAfterMs);
    outlet.waiting?.(busyOnly ? "every provider is busy" : "no provider has answered; trying again");
    await clock.sleep(busyOnly ? Math.min(retryAfterMs, LONGEST_BUSY_WAIT_MS) : ONCE_MORE_AFTER_MS, signal).catch(() => {});
    // Who was not there may have moved; a chain that does not answer changes nothing.
    if (!busyOnly && !signal.aborted) ranked = await rank(0).catch(() => ranked);
  }
}

/** Whoever is paid already is there. */
export async function lookAt({ pool, clientOf, chain }: ChatDeps, offer: Offer, signal: AbortSignal): Promise<Look> {
  if (pool.isWarm(offer.id)) return { busy: false };
  try {
    return await preflight(clientOf(offer), offer, chain.network.chainId, signal);
  } catch (thrown) {
    throw saidByProvider(thrown);
  }
}

/** With the open stream, and once more with a new one when that one turns out to be of no use any more. */
async function tryOffer(deps: ChatDeps, job: ChatJob, offer: Offer, mostWei: bigint, onSend: (cover: Cover) => void): Promise<Try> {
  for (let stale = 0; ; stale += 1) {
    const { cover, release } = await deps.pool.take(offer, job.signal);
    try {
      if (stale === 0) onSend(cover);
      const done = await tryCover(deps, job, cover, mostWei);
      if (done.begun || !done.failure || classify(done.failure) !== "stale" || stale > 0) return done;
      deps.pool.retire(cover);
    } finally {
      release();
    }
  }
}

async function tryCover(deps: ChatDeps, job: ChatJob, cover: Cover, mostWei: bigint): Promise<Try> {
  const { clock, limits, logger } = deps;
  const { offer, ratePerSecond } = cover;
  const source: AnswerSource = { providerId: offer.id, coverId: cover.id, model: offer.model, ratePerSecond };
  const capped = new AbortController();
  const capMs = coveredMsDown(mostWei, ratePerSecond);
  const cap = capMs < 2 ** 31 - 1 ? setTimeout(() => capped.abort(), capMs) : undefined;
  const signal = AbortSignal.any([job.signal, capped.signal]);
  const sentAtMs = clock.now();
  let answer: Answer | undefined;
  let signed: SignedReceipt | undefined;
  let failure: AppError | undefined;
  let begun = false;
  try {
    const headersMs = Math.min(limits.headersMs, limits.firstTokenMs);
    const stream = await cover.chat({ ...job.request, model: offer.model }, { headersMs, signal });
    answer = await pass(deps, job, source, stream, sentAtMs, signal, () => {
      begun = true;
    });
    failure = answer.failure && saidByProvider(answer.failure);
    if (answer.signed !== undefined) signed = await cover.verify(answer.signed, answer);
    else if (!failure) throw new AppError("PROVIDER_DISHONEST", "The provider sent no receipt with its answer.");
  } catch (thrown) {
    const error = saidByProvider(thrown);
    failure = error.code === "PROVIDER_DISHONEST" ? error : (failure ?? error);
  } finally {
    clearTimeout(cap);
  }
  const cutByCap = capped.signal.aborted && !job.signal.aborted && failure?.code === "ABORTED";
  if (failure?.code === "PROVIDER_DISHONEST") {
    logger.warn({ requestId: job.requestId, providerId: offer.id, message: failure.message }, "a provider was dishonest");
    deps.experience.failed(offer.id, failure.code);
    deps.pool.retire(cover);
    // The answer itself may be whole; what is owed for it is settled without its receipt.
    if (answer && !answer.failure) failure = undefined;
  }
  const measuredMs = clock.now() - sentAtMs;
  if (!begun && cutByCap) {
    failure = new AppError("BUDGET_EXCEEDED", "The limit for one request was used up before the first word.", {
      facts: { providerId: offer.id, limitWei: String(mostWei), usedWei: String(atMost(costUp(ratePerSecond, measuredMs), mostWei)) },
    });
  }
  return {
    source,
    answer,
    signed,
    begun,
    cutByMoney: cutByCap || signed?.receipt.reason === "runway" || signed?.receipt.reason === "cancelled",
    failure: cutByCap && begun ? undefined : failure,
    costWei: signed ? signed.receipt.amount : begun ? costUp(ratePerSecond, measuredMs) : 0n,
    exact: signed !== undefined || !begun,
  };
}

/** Those that announce a shorter context than the request needs come last: nobody knows its tokens better than they do. */
function longEnough(ranked: readonly Ranked[], { request }: ChatJob, contexts: ContextLengths): readonly Ranked[] {
  const needed = estimateTokens(request.messages) + (request.max_tokens ?? 0);
  const fits = ({ offer }: Ranked) => needed <= (contexts.of(offer.id) ?? needed);
  return ranked.every(fits) ? ranked : [...ranked.filter(fits), ...ranked.filter((entry) => !fits(entry))];
}

const atMost = (wei: bigint, mostWei: bigint): bigint => (wei < mostWei ? wei : mostWei);

/** C-077: nothing is spent when the usual answer would already cost more than the client allows. */
function checkEstimate(ranked: readonly Ranked[], maxCostWei: bigint | undefined, symbol: string): void {
  if (maxCostWei === undefined) return;
  const cheapest = ranked.reduce((a, b) => (b.expectedWei < a.expectedWei ? b : a));
  if (cheapest.expectedWei <= maxCostWei) return;
  throw new AppError("PRICE_ABOVE_CAP", `A usual answer costs more than this request's max_cost in ${symbol}.`, {
    param: "max_cost",
    facts: { estimateWei: String(cheapest.expectedWei), maxCostWei: String(maxCostWei), providerId: cheapest.offer.id },
    hint: "Raise max_cost, or choose a cheaper model.",
  });
}

/** Tokens after which a speed says something. */
const ENOUGH_TOKENS = 8;

function judge(experience: Experience, { answer, failure, source, cutByMoney }: Try, offer: Offer): void {
  if (source.providerId === undefined || !answer) return;
  if (failure && !cutByMoney) {
    if (classify(failure) === "provider") experience.failed(offer.id, failure.code);
    return;
  }
  experience.succeeded(offer.id, speedOf(answer));
}

/** What a good answer says of its engine's speed. */
export function speedOf(answer: Answer | undefined): GoodAnswer {
  if (!answer) return { firstTokenMs: undefined, tokensPerSecond: undefined };
  const { firstTokenMs, measuredMs, usage } = answer;
  const tokens = usage?.completion_tokens ?? 0;
  const seconds = (measuredMs - (firstTokenMs ?? 0)) / 1000;
  return { firstTokenMs, tokensPerSecond: tokens >= ENOUGH_TOKENS && seconds > 0 ? tokens / seconds : undefined };
}

export function nobodyAnswered(
  attempts: readonly AttemptRecord[],
  last: AppError | undefined,
  busyOnly: boolean,
  retryAfterMs: number,
): AppError {
  const facts = { attempts: attempts.slice(-MAX_NAMED).map(({ providerId, code }) => `${providerId}: ${code}`), tried: attempts.length };
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  if (busyOnly && attempts.length > 0) {
    return new AppError("BUSY", "Every provider of this model is busy.", { facts, retryAfterSeconds, cause: last });
  }
  return new AppError("NO_PROVIDER", "No provider of this model could answer.", {
    facts,
    retryAfterSeconds: Math.max(2, retryAfterSeconds),
    hint: "Try again after the time in retry-after, or choose another model.",
    cause: last,
  });
}
