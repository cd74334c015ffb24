import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { EndReason, SignedReceipt } from "@clawcompute/lib/protocol";
import type { Hex } from "viem";
import type { Admission, Payer } from "./admission.ts";
import type { AnswerMetrics } from "./answerMetrics.ts";
import type { Piece, Work } from "./answers/work.ts";
import { mostPayableMs } from "./caps.ts";
import type { ChainTime } from "./chainTime.ts";
import { type Meters, startMeter } from "./metering.ts";
import type { UnderWay } from "./payments/cover.ts";
import type { Running } from "./running.ts";
import type { Settlements } from "./settlement.ts";
import type { Streams } from "./streams.ts";
import { watchAnswer } from "./watchAnswer.ts";

/** Where an answer goes. */
export interface Sink {
  /** Each event reaches the caller at once; otherwise nothing does until the answer is whole. */
  readonly live: boolean;
  /** Undefined, or a promise that resolves when there is room for more. */
  deliver(piece: Piece): Promise<void> | undefined;
  /** A word beside the answer, once it has begun. */
  comment(text: string): void;
  /** A sign of life, so that nobody on the way gives up; it commits to an answer. */
  alive(): void;
  /** An event about the payment, which is no part of the answer. */
  beside?(piece: Piece): void;
  /** Nothing more comes: SHA-256 of what the caller has. */
  seal(): Hex;
}

export interface AnswerLimits {
  readonly firstTokenMs: number;
  readonly stallMs: number;
  readonly heartbeatMs: number;
  /** For answers that only come whole: images, sound, embeddings. */
  readonly wholeMs: number;
  /** An answer that a stream pays for is cut when the chain was not heard of for this long: nobody knows whether it is still paid. */
  readonly blindMs: number;
}

export interface AnswerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meters: Meters;
  readonly streams: Streams;
  readonly chainTime: Pick<ChainTime, "lagMs">;
  readonly admission: Pick<Admission, "assertRunway">;
  readonly settlements: Settlements;
  readonly running: Running;
  readonly metrics: AnswerMetrics;
  readonly limits: AnswerLimits;
  /** Aborts when running answers must stop because the process does. */
  readonly cut: AbortSignal;
}

export interface AnswerRequest {
  readonly requestId: string;
  readonly payer: Payer;
  readonly work: Work;
  /** The stream must cover this in addition to the least time that it has to cover for any answer. */
  readonly extraMs: number;
  /** It is the last one on its stream: the receipt comes with the settlement. */
  readonly settle: boolean;
  readonly sink: Sink;
  /** Aborts when the caller has gone. */
  readonly gone: AbortSignal;
}

export interface Answered {
  readonly signed: SignedReceipt;
  /** The answer broke off after its first byte; the error was delivered as its last event. */
  readonly failure: AppError | undefined;
}

/** Why an answer stops before its engine is done. The payer pays up to the stop in the first three, to the last byte in the others. */
interface Stop {
  readonly reason: "client_gone" | "cancelled" | "runway" | "draining" | "upstream_error";
  readonly failure?: AppError;
}

const byPayer: ReadonlySet<EndReason> = new Set(["client_gone", "cancelled", "runway"]);

/**
 * One paid answer from the place it takes to its receipt. Throws, without any charge, when nothing was delivered and the payer
 * is not the cause; whatever was delivered or charged has a receipt in the store.
 */
export async function runAnswer(deps: AnswerDeps, input: AnswerRequest): Promise<Answered> {
  const { running, metrics, admission, cut } = deps;
  const { payer, gone } = input;
  const stopping = new AbortController();
  const stop = (why: Stop) => {
    if (!stopping.signal.aborted) stopping.abort(why);
  };
  const hooks: [AbortSignal, () => Stop][] = [
    [gone, () => ({ reason: "client_gone" })],
    [payer.stream.closed, () => ({ reason: "cancelled" })],
    [cut, () => ({ reason: "draining", failure: new AppError("DRAINING", "This provider stopped while it answered.") })],
  ];
  const unhook = hooks.map(([signal, why]) => onAbort(signal, () => stop(why())));
  const own = running.add(payer.stream.id, () => stop({ reason: "cancelled" }));
  let release = () => {};
  let underWay: UnderWay | undefined;
  try {
    release = await payer.offer.capacity.take(payer.stream.id, stopping.signal).catch((thrown) => {
      throw stopping.signal.aborted ? refusalOf(stopping.signal.reason as Stop) : thrown;
    });
    admission.assertRunway(payer, input.extraMs);
    underWay = payer.stream.cover?.begin((event) => input.sink.beside?.(event));
    const answered = await produce(deps, input, stopping.signal, stop, () => running.endAll(payer.stream.id, own), underWay?.end);
    metrics.ended(answered.signed.receipt, input.work.inTokens);
    return answered;
  } finally {
    release();
    for (const off of unhook) off();
    await underWay?.close();
    own.finish();
    stopping.abort({ reason: "client_gone" } satisfies Stop);
    metrics.running.set(running.count());
  }
}

/** Stopped while it waited for a place: nothing was served. */
function refusalOf({ reason, failure }: Stop): AppError {
  if (failure) return failure;
  if (reason === "client_gone") return new AppError("CLIENT_GONE", "The caller went away.");
  return new AppError("STREAM_ENDED", "The stream was ended while the request waited.");
}

async function produce(
  deps: AnswerDeps,
  input: AnswerRequest,
  stopped: AbortSignal,
  stop: (why: Stop) => void,
  endOthers: () => Promise<void>,
  ended: () => void = () => {},
): Promise<Answered> {
  const { clock, logger, meters, streams, chainTime, settlements, metrics, limits } = deps;
  const { requestId, payer, work, sink } = input;
  const { stream, offer } = payer;
  const startedAtMs = clock.now();
  let delivered = false;
  let firstTokenAtMs = 0;
  let deliveredAtMs = startedAtMs;

  /** Both caps hold: the time, and what its tokens may cost at most. */
  const payableUntilMs = (untilMs: number) => Math.min(untilMs, startedAtMs + mostPayableMs(offer.caps, work, stream.state.ratePerSecond));
  const meter = startMeter({
    meters,
    streamId: stream.id,
    startedAtMs,
    onSettled: () => stop({ reason: "cancelled" }),
    onError: (err) => logger.error({ err, requestId }, "served time could not be stored"),
  });
  const watch = watchAnswer({
    clock,
    limits: work.inOnePiece ? { ...limits, firstTokenMs: limits.wholeMs } : limits,
    startedAtMs,
    runwayMs: () => streams.runwayMs(stream),
    onRunwayOver: () => stop({ reason: "runway" }),
    onSilent: (failure) => stop({ reason: "upstream_error", failure }),
    comment: sink.comment,
    alive: sink.alive,
    onTick: () => {
      if (!stream.cover && chainTime.lagMs() > limits.blindMs) stop({ reason: "upstream_error", failure: blind(limits.blindMs) });
      if (sink.live && firstTokenAtMs > 0) meter.mark(payableUntilMs(deliveredAtMs));
    },
  });

  function take(piece: Piece): Promise<void> | undefined {
    const { hasContent, shown } = work.take(piece);
    if (hasContent && firstTokenAtMs === 0) {
      firstTokenAtMs = clock.now();
      metrics.firstToken.observe((firstTokenAtMs - startedAtMs) / 1000);
      watch.firstToken();
    }
    if (!shown) return undefined;
    delivered = true;
    const room = sink.deliver(piece);
    if (room) return room.then(reached);
    reached();
    return undefined;
  }
  function reached(): void {
    deliveredAtMs = clock.now();
    watch.delivered();
  }

  const unlessStopped = createBreak(stopped);
  let engine: (AsyncIterator<Piece> & { readonly ready?: () => Piece | undefined }) | undefined;
  try {
    engine = work.start(stopped)[Symbol.asyncIterator]();
    for (;;) {
      watch.waiting();
      const step = await unlessStopped(engine.next());
      if (step.done) break;
      watch.received();
      // What arrived together goes on together.
      for (let piece: Piece | undefined = step.value; piece; piece = engine.ready?.()) {
        const covered = stream.cover?.whenCovered();
        if (covered) await unlessStopped(covered);
        const room = take(piece);
        if (room) await unlessStopped(room);
        stopped.throwIfAborted();
      }
    }
    if (!work.isWhole())
      stop({ reason: "upstream_error", failure: new AppError("UPSTREAM_FAILED", "The model broke off in the middle of its answer.") });
  } catch (thrown) {
    stop({ reason: "upstream_error", failure: failureOf(thrown) });
  }
  const endedAtMs = clock.now();
  ended();
  const early = stopped.aborted ? (stopped.reason as Stop) : undefined;
  metrics.observeStop(early?.reason, clock, endedAtMs, engine?.return?.());
  watch.end();
  const storedUntilMs = await meter.stop();

  // The caller may have stopped reading: what is left to say is sent without waiting for room.
  const last = (piece: Piece) => void sink.deliver(piece)?.catch(() => {});
  const reason: EndReason = early ? early.reason : work.endReason();
  const failure =
    early && !byPayer.has(early.reason) ? (early.failure ?? new AppError("UPSTREAM_FAILED", "The answer failed.")) : undefined;
  if (failure && !(sink.live && delivered)) throw failure;
  if (early?.reason === "cancelled" || early?.reason === "runway") work.cutOff().forEach(last);
  if (failure) last(work.failed(failure));
  if (input.settle) await endOthers();

  const lastPaidMs = failure ? deliveredAtMs : endedAtMs;
  const chargeable = firstTokenAtMs > 0 || byPayer.has(reason);
  const signed = await settlements.closeAnswer(
    { id: stream.id, ratePerSecond: stream.state.ratePerSecond, kind: stream.cover?.kind ?? "stream" },
    {
      requestId,
      providerId: stream.state.providerId,
      model: offer.terms.model,
      startedAtMs,
      firstTokenAtMs,
      endedAtMs,
      chargedUntilMs: chargeable ? Math.max(payableUntilMs(lastPaidMs), storedUntilMs) : undefined,
      storedUntilMs,
      ...work.units(),
      bodyHash: sink.seal(),
      reason,
    },
    input.settle,
  );
  return { signed, failure };
}

function blind(blindMs: number): AppError {
  return new AppError("CHAIN_STALE", "This provider has had no news of the chain for too long to go on with an answer.", {
    facts: { blindMs },
    retryAfterSeconds: 5,
  });
}

function failureOf(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError("UPSTREAM_FAILED", "The model behind this provider failed.", { cause: thrown });
}

/** Waits for a promise, or throws the signal's reason. Unlike Promise.race it leaves nothing behind on the signal for each wait. */
function createBreak(signal: AbortSignal): <T>(promise: Promise<T>) => Promise<T> {
  let leave: ((reason: unknown) => void) | undefined;
  onAbort(signal, () => leave?.(signal.reason));
  return (promise) =>
    new Promise((resolve, reject) => {
      leave = reject;
      if (signal.aborted) reject(signal.reason);
      promise.then(resolve, reject);
    });
}

function onAbort(signal: AbortSignal, then: () => void): () => void {
  if (signal.aborted) {
    then();
    return () => {};
  }
  signal.addEventListener("abort", then, { once: true });
  return () => signal.removeEventListener("abort", then);
}
