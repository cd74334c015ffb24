import { randomUUID } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { type ChatChunk, type ChatRequest, type Completion, createCompletion, encodeSignedReceipt } from "@clawcompute/lib/protocol";
import { atMostIn } from "../asset.ts";
import type { Client } from "../budget/budget.ts";
import { parseModelName } from "../selection/modelName.ts";
import { answerChat } from "./answerChat.ts";
import type { Broadcast, RouteContext } from "./broadcast.ts";
import type { AnswerSource, ChatOutcome } from "./chatJob.ts";
import type { GatewayContext } from "./context.ts";
import { explainChoice } from "./explainChoice.ts";

/** What every answer tells beside itself, under a key that clients ignore. */
export interface Extra {
  readonly requestId: string;
  /** The registry's id, or "local". */
  readonly provider: string;
  readonly streamId: string | null;
  readonly model: string;
  readonly costWei: string;
  readonly cost: string;
  readonly symbol: string;
  readonly servedMs: number;
}

/** The end of an answer. */
export interface Final {
  readonly extra: Extra;
  /** "length" when money ended it. */
  readonly finishReason: string;
  /** The engine itself has said how it ended; otherwise the shape has to. */
  readonly finished: boolean;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly source: AnswerSource;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly firstTokenMs: number;
}

/** How one API words an answer that comes piece by piece. Every function returns what is written, "" for nothing. */
export interface LiveShape {
  readonly contentType: string;
  begin?(source: AnswerSource): string;
  chunk(data: string, chunk: ChatChunk): string;
  /** A sign of life; `words` say what goes on. */
  alive(words: string): string;
  end(final: Final): string;
  /** An error after the response has begun; nothing comes after it. */
  fail(error: AppError): string;
}

export interface ChatCall {
  readonly client: Client;
  readonly request: ChatRequest;
  readonly route: string;
  readonly maxCostWei: bigint | undefined;
  /** Undefined: in one piece, as `compose` shapes it. */
  readonly live: LiveShape | undefined;
  readonly compose: (completion: Completion, final: Final) => Record<string, unknown>;
}

const costHeaders = (extra: Pick<Extra, "provider" | "streamId" | "model">) => ({
  "clawcompute-provider": extra.provider,
  "clawcompute-model": extra.model.replace(/[^\x20-\x7e]/g, "?"),
  ...(extra.streamId === null ? {} : { "clawcompute-stream": extra.streamId }),
});

/** Answers one chat request of any API into a broadcast: pays, chooses, fails over, accounts. Never throws. */
export async function serveChat(context: GatewayContext, broadcast: Broadcast, call: ChatCall): Promise<void> {
  const { clock, ledger, counted, policy, logger } = context;
  const { client, request, live, route } = call;
  const requestId = `req_${randomUUID()}`;
  const startedAtMs = clock.now();
  const completion = createCompletion();
  const release = context.begin();
  let source: AnswerSource | undefined;
  let words = "looking for a provider";
  let pieces = 0;
  let finished = false;

  const openLive = (shape: LiveShape) => {
    broadcast.open(200, {
      "content-type": shape.contentType,
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-request-id": requestId,
      ...(source ? costHeaders(placeOf(source)) : {}),
    });
  };
  const beat =
    live &&
    setInterval(
      () => {
        if (clock.now() - broadcast.lastWriteMs < policy.heartbeatMs) return;
        openLive(live);
        void broadcast.write(live.alive(words));
      },
      Math.max(10, policy.heartbeatMs / 4),
    );
  const onAbandoned = () => {
    const leftAtMs = clock.now();
    void gone.then(() => counted.disconnect((clock.now() - leftAtMs) / 1000));
  };
  let upstreamOver = () => {};
  const gone = new Promise<void>((resolve) => {
    upstreamOver = resolve;
  });
  broadcast.abandoned.addEventListener("abort", onAbandoned, { once: true });

  ledger.begin({ requestId, client: client.name, asked: request.model, route, startedAtMs });
  let outcome: ChatOutcome | undefined;
  let failure: AppError | undefined;
  try {
    outcome = await answerChat(context.chat, {
      requestId,
      client,
      choice: parseModelName(request.model),
      request,
      maxCostWei: atMostIn(context.chat.choose.asset, call.maxCostWei),
      signal: broadcast.abandoned,
      outlet: {
        waiting: (text) => {
          words = text;
        },
        begin: async (from) => {
          source = from;
          counted.firstToken((clock.now() - startedAtMs) / 1000);
          if (!live) return;
          openLive(live);
          const text = live.begin?.(from);
          if (text) await broadcast.write(text);
        },
        chunk: async (data, chunk) => {
          if (chunk.choices?.some(({ finish_reason }) => finish_reason)) finished = true;
          if (chunk.choices?.some(({ delta }) => delta?.content)) pieces += 1;
          if (!live) return completion.add(data);
          const text = live.chunk(data, chunk);
          if (text) await broadcast.write(text);
        },
      },
    });
    failure = outcome.failure && cutError(outcome.failure);
  } catch (thrown) {
    failure = AppError.from(thrown);
  } finally {
    upstreamOver();
    clearInterval(beat);
    broadcast.abandoned.removeEventListener("abort", onAbandoned);
  }

  const endedAtMs = clock.now();
  const usage = outcome?.answer?.usage;
  const finishReason = outcome?.cutByMoney ? "length" : (outcome?.answer?.finishReason ?? "stop");
  const unitsOut = usage?.completion_tokens ?? pieces;
  if (outcome?.source && !failure) {
    const { symbol, decimals } = context.chat.choose.asset;
    const extra: Extra = {
      requestId,
      ...placeOf(outcome.source),
      costWei: String(outcome.costWei),
      cost: formatAmount(outcome.costWei, decimals),
      symbol,
      servedMs: outcome.servedMs,
    };
    const final: Final = {
      extra,
      finishReason,
      finished,
      promptTokens: usage?.prompt_tokens ?? 0,
      completionTokens: unitsOut,
      source: outcome.source,
      startedAtMs,
      endedAtMs,
      firstTokenMs: outcome.answer?.firstTokenMs ?? 0,
    };
    if (live) void broadcast.write(live.end(final));
    else {
      if (!finished) completion.add(JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: finishReason }] }));
      const body = JSON.stringify(call.compose(completion, final));
      broadcast.open(200, {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
        "cache-control": "no-store",
        "x-request-id": requestId,
        ...costHeaders(extra),
        "clawcompute-cost": extra.costWei,
      });
      void broadcast.write(body);
    }
    broadcast.end();
  } else {
    const error = failure ?? new AppError("INTERNAL", "The answer got lost.");
    if (error.alert) logger.error({ requestId, code: error.code, err: error }, "request failed");
    else logger.info({ requestId, code: error.code, facts: error.facts }, "request not answered");
    if (broadcast.isOpen && live) {
      void broadcast.write(live.fail(error));
      broadcast.end();
    } else broadcast.fail(withRequestId(error, requestId));
  }
  counted.answered(failure?.code ?? "ok", outcome?.source ? (outcome.source.providerId === undefined ? "local" : "network") : "none");
  ledger.finish(requestId, {
    endedAtMs,
    model: outcome?.source?.model,
    providerId: outcome?.source?.providerId,
    coverId: outcome?.source?.coverId,
    costWei: outcome?.costWei ?? 0n,
    exact: outcome?.exact ?? true,
    servedMs: outcome?.servedMs ?? 0,
    firstTokenMs: outcome?.answer?.firstTokenMs,
    unitsIn: usage?.prompt_tokens ?? 0,
    unitsOut,
    outcome: failure?.code ?? "ok",
    finishReason: outcome ? finishReason : undefined,
    attempts: outcome?.attempts ?? [],
    receipt: outcome?.signed && encodeSignedReceipt(outcome.signed),
    choice: outcome && explainChoice(outcome.ranked, context.chat.choose.asset),
  });
  release();
}

const placeOf = (source: AnswerSource) => ({
  provider: source.providerId === undefined ? "local" : String(source.providerId),
  streamId: source.coverId ?? null,
  model: source.model,
});

/** An answer that broke after its first word: never the client's business to pay or to raise a limit, whatever the provider said. */
function cutError(cause: AppError): AppError {
  if (cause.code === "ABORTED") return new AppError("CLIENT_GONE", "The client went away.", { cause });
  return new AppError("ANSWER_CUT", "The provider's answer broke off before its end.", { facts: { reason: cause.code }, cause });
}

const withRequestId = (error: AppError, requestId: string): AppError =>
  new AppError(error.code, error.message, {
    facts: { ...error.facts, requestId },
    retryable: error.retryable,
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  });

/** Joins a running or recent answer to the same request, or begins one. */
export async function respond(
  context: GatewayContext,
  c: RouteContext,
  client: Client,
  body: string,
  fill: (broadcast: Broadcast) => Promise<void>,
): Promise<Response> {
  const { broadcast, isNew } = context.replays.open(c, client.name, body);
  const joined = broadcast.join(c).catch((thrown: unknown) => {
    const { requestId } = AppError.from(thrown).facts;
    if (typeof requestId === "string") c.set("requestId", requestId);
    throw thrown;
  });
  if (isNew) void fill(broadcast);
  return joined;
}
