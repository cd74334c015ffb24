import { AppError } from "@clawcompute/lib/errors";
import { readBody } from "@clawcompute/lib/node";
import { type ChatRequest, encodeSse } from "@clawcompute/lib/protocol";
import { z } from "zod";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { parseBody } from "../../parseBody.ts";
import { type LiveShape, respond, serveChat } from "../../serveChat.ts";
import { usageOf, wireError } from "./chat.ts";

const completionRequest = z.looseObject({
  model: z.string().min(1).max(256),
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(128)]),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  n: z.int().min(1).max(1).nullish(),
});

/** `POST /v1/completions`: the prompt is asked as one message of a chat, which every text provider offers. */
export const completions =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
    const { value, maxCostWei } = parseBody(completionRequest, text);
    const { prompt, stream, stream_options, echo: _, suffix: __, best_of: ___, logprobs: ____, ...rest } = value;
    if (Array.isArray(prompt) && prompt.length > 1) {
      throw new AppError("UNSUPPORTED", "One prompt at a time, please.", { param: "prompt", hint: "Send one request for each prompt." });
    }
    const content = Array.isArray(prompt) ? (prompt[0] ?? "") : prompt;
    const request = { ...rest, messages: [{ role: "user", content }] } as ChatRequest;
    return respond(context, c, client, text, (broadcast) =>
      serveChat(context, broadcast, {
        client,
        request,
        route: "completions",
        maxCostWei,
        live: stream ? completionShape(value.model, context.clock.now, stream_options?.include_usage === true) : undefined,
        compose: (completion, final) => ({
          id: final.extra.requestId,
          object: "text_completion",
          created: Math.floor(final.startedAtMs / 1000),
          model: final.source.model,
          choices: [{ index: 0, text: completion.text(), logprobs: null, finish_reason: final.finishReason }],
          usage: usageOf(final),
          clawcompute: final.extra,
        }),
      }),
    );
  };

function completionShape(asked: string, now: () => number, wantsUsage: boolean): LiveShape {
  let model = asked;
  const created = Math.floor(now() / 1000);
  let id = "cmpl";
  const event = (choices: object[], more: object = {}) =>
    encodeSse(JSON.stringify({ id, object: "text_completion", created, model, choices, ...more }));
  return {
    contentType: "text/event-stream; charset=utf-8",
    begin: (source) => {
      model = source.model;
      return "";
    },
    chunk: (_, chunk) => {
      id = chunk.id ?? id;
      const content = chunk.choices?.[0]?.delta?.content;
      return content ? event([{ index: 0, text: content, logprobs: null, finish_reason: null }]) : "";
    },
    alive: (words) => `: ${words}\n\n`,
    end: (final) => {
      const last = [{ index: 0, text: "", logprobs: null, finish_reason: final.finishReason }];
      const bill = { clawcompute: final.extra };
      if (!wantsUsage) return event(last, bill) + encodeSse("[DONE]");
      return event(last) + event([], { usage: usageOf(final), ...bill }) + encodeSse("[DONE]");
    },
    fail: (error) => encodeSse(JSON.stringify({ error: wireError(error) })),
  };
}
