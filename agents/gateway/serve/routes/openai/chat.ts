import { type AppError, toProblem } from "@clawcompute/lib/errors";
import { readBody } from "@clawcompute/lib/node";
import { type ChatChunk, chatRequest, encodeSse } from "@clawcompute/lib/protocol";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { parseBody } from "../../parseBody.ts";
import { type Final, type LiveShape, respond, serveChat } from "../../serveChat.ts";

/** `POST /v1/chat/completions`. */
export const chatCompletions =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
    const { value: request, maxCostWei } = parseBody(chatRequest, text);
    const live = request.stream ? chatShape(request.stream_options?.include_usage === true) : undefined;
    return respond(context, c, client, text, (broadcast) =>
      serveChat(context, broadcast, {
        client,
        request,
        route: "chat",
        maxCostWei,
        live,
        compose: (completion, { extra, source, startedAtMs }) => ({
          ...completion.body({ id: extra.requestId, created: Math.floor(startedAtMs / 1000), model: source.model }),
          clawcompute: extra,
        }),
      }),
    );
  };

/**
 * Chunks go through as they come. Only the last ones wait for the bill, which rides in a chunk that the client expects anyway: clients
 * that did not ask for usage may not know what to do with a chunk without choices.
 */
export function chatShape(wantsUsage: boolean): LiveShape {
  let finish: string | undefined;
  let usage: string | undefined;
  let head: Pick<ChatChunk, "id" | "model"> & { created?: unknown } = {};
  return {
    contentType: "text/event-stream; charset=utf-8",
    chunk: (data, chunk) => {
      head = { id: chunk.id, model: chunk.model, created: (chunk as { created?: unknown }).created };
      if ((chunk.choices ?? []).length === 0) {
        if (chunk.usage && wantsUsage) usage = data;
        return "";
      }
      if (!chunk.choices?.some(({ finish_reason }) => finish_reason)) return encodeSse(data);
      const before = finish;
      finish = data;
      return before === undefined ? "" : encodeSse(before);
    },
    alive: (words) => `: ${words}\n\n`,
    end: (final) => {
      finish ??= JSON.stringify({
        ...headOf(head, final),
        choices: [{ index: 0, delta: {}, finish_reason: final.finishReason }],
      });
      if (wantsUsage) usage ??= JSON.stringify({ ...headOf(head, final), choices: [], usage: usageOf(final) });
      const last = usage ?? finish;
      const withBill = JSON.stringify({ ...(JSON.parse(last) as object), clawcompute: final.extra });
      return (usage === undefined ? "" : encodeSse(finish)) + encodeSse(withBill) + encodeSse("[DONE]");
    },
    fail: (error) => encodeSse(JSON.stringify({ error: wireError(error) })),
  };
}

const headOf = (
  head: { id?: string | undefined; model?: string | undefined; created?: unknown },
  { extra, source, startedAtMs }: Final,
) => ({
  id: head.id ?? extra.requestId,
  object: "chat.completion.chunk",
  created: head.created ?? Math.floor(startedAtMs / 1000),
  model: head.model ?? source.model,
});

export const usageOf = ({ promptTokens, completionTokens }: Final) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

/** The error object that every OpenAI client reads. */
export const wireError = (error: AppError) => toProblem(error).error;
