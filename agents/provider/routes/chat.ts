import { createHash, randomUUID } from "node:crypto";
import { readJson } from "@clawcompute/lib/node";
import {
  type ChatRequest,
  chatRequest,
  createCompletion,
  encodeSignedReceipt,
  headers,
  type SignedReceipt,
} from "@clawcompute/lib/protocol";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Payer } from "../admission.ts";
import { runAnswer, type Sink } from "../answer.ts";
import { type ChunkHead, receiptChunk } from "../chunks.ts";
import type { ProviderContext } from "../context.ts";
import { createEventStream, goneSignal } from "./eventStream.ts";
import type { RouteContext, RouteHandler } from "./handler.ts";

export const TEXT_SERVICE = 0;

export function chatRoutes(context: ProviderContext): Record<"chatCompletions", RouteHandler> {
  const { admission, maxBodyBytes } = context;
  return {
    chatCompletions: async (c) => {
      const payer = await admission.payer(c.req.header("authorization"));
      const request = await readJson(c, chatRequest, maxBodyBytes);
      admission.assertModel(payer, request.model, TEXT_SERVICE);
      if (request.stream) return answerLive(context, c, payer, request);
      return answerWhole(context, c, payer, request, (completion, head) => completion.body(head));
    },
  };
}

/** Paid answers have an id of ours: receipts are found by it, so no caller may choose it. */
function takeAnswerId(c: RouteContext): string {
  const requestId = randomUUID();
  c.set("requestId", requestId);
  return requestId;
}

/** The stream's last answer keeps others out until its receipt, with the settlement, is signed. */
function startOf({ admission }: ProviderContext, c: RouteContext, payer: Payer): { settle: boolean; letGo: (settled: boolean) => void } {
  admission.assertServing(payer);
  admission.assertRunway(payer);
  const settle = c.req.header(headers.settle) === "1";
  return { settle, letGo: settle ? admission.holdLast(payer.stream) : () => {} };
}

async function answerLive(context: ProviderContext, c: RouteContext, payer: Payer, request: ChatRequest): Promise<Response> {
  const { settle, letGo } = startOf(context, c, payer);
  const requestId = takeAnswerId(c);
  const events = createEventStream(c, requestId);
  const work = runAnswer(context.answers, { requestId, payer, request, settle, sink: events, gone: events.gone }).then(
    ({ head, signed, failure }) => {
      letGo(settle);
      events.finish(failure ? [] : [receiptChunk(head, encodeSignedReceipt(signed)), "[DONE]"]);
    },
    (thrown) => {
      letGo(false);
      throw thrown;
    },
  );
  await Promise.race([events.opened, work]);
  work.catch((error) => {
    context.logger.error({ err: error, requestId }, "an answer that had begun could not be finished");
    events.fail(error);
  });
  return RESPONSE_ALREADY_SENT;
}

/** The answer in one piece, as `compose` shapes it, with the receipt in a header. */
export async function answerWhole(
  context: ProviderContext,
  c: RouteContext,
  payer: Payer,
  request: ChatRequest,
  compose: (completion: ReturnType<typeof createCompletion>, head: ChunkHead) => Record<string, unknown>,
): Promise<Response> {
  const { settle, letGo } = startOf(context, c, payer);
  const requestId = takeAnswerId(c);
  const completion = createCompletion();
  let body = "";
  const sink: Sink = {
    live: false,
    deliver: async (data) => completion.add(data),
    comment: () => {},
    alive: () => {},
    seal: (head) => {
      body = JSON.stringify(compose(completion, head));
      return `0x${createHash("sha256").update(body).digest("hex")}`;
    },
  };
  let settled = false;
  try {
    const { signed } = await runAnswer(context.answers, {
      requestId,
      payer,
      request,
      settle,
      sink,
      gone: goneSignal(c.env.outgoing as never).signal,
    });
    settled = settle;
    return c.body(body, 200, { "content-type": "application/json", "cache-control": "no-store", [headers.receipt]: receiptHeader(signed) });
  } finally {
    letGo(settled);
  }
}

const receiptHeader = (signed: SignedReceipt): string => Buffer.from(JSON.stringify(encodeSignedReceipt(signed))).toString("base64url");
