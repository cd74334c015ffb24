import { readBody } from "@clawcompute/lib/node";
import type { ChatChunk, Completion } from "@clawcompute/lib/protocol";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { maxCostOf, parseBody } from "../../parseBody.ts";
import { type Final, type LiveShape, respond, serveChat } from "../../serveChat.ts";
import { chatRequestOf, generateRequestOf, ollamaChat, ollamaGenerate } from "./requests.ts";
import { endOf, ndjson, timeOf, wordsOf } from "./wire.ts";

/** `POST /api/chat`. Without `stream` the answer is streamed. */
export const ollamaChatRoute =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
    const { value, maxCostWei } = parseBody(ollamaChat, text);
    const say = (content: string, more: object = {}) => ({ message: { role: "assistant", content, ...more } });
    return respond(context, c, client, text, (broadcast) =>
      serveChat(context, broadcast, {
        client,
        request: chatRequestOf(value),
        route: "ollama chat",
        maxCostWei: maxCostWei ?? maxCostOf((value.options as Record<string, unknown> | undefined)?.max_cost),
        live: value.stream === false ? undefined : ollamaShape(value.model, context.clock.now, say),
        compose: (completion, final) => wholeOf(value.model, completion, final, say),
      }),
    );
  };

/** `POST /api/generate`. An empty prompt only asks whether the model is there, as loading it does. */
export const ollamaGenerateRoute =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
    const { value, maxCostWei } = parseBody(ollamaGenerate, text);
    if (value.prompt === "" && !value.images?.length) {
      return c.json({ model: value.model, created_at: timeOf(context.clock.now()), response: "", done: true, done_reason: "load" });
    }
    const say = (response: string, more: { thinking?: string } = {}) => ({
      response,
      ...(more.thinking ? { thinking: more.thinking } : {}),
    });
    return respond(context, c, client, text, (broadcast) =>
      serveChat(context, broadcast, {
        client,
        request: generateRequestOf(value),
        route: "ollama generate",
        maxCostWei: maxCostWei ?? maxCostOf((value.options as Record<string, unknown> | undefined)?.max_cost),
        live: value.stream === false ? undefined : ollamaShape(value.model, context.clock.now, say),
        compose: (completion, final) => ({ ...wholeOf(value.model, completion, final, say), context: [] }),
      }),
    );
  };

type Say = (content: string, more?: object) => object;

interface ToolCall {
  name: string;
  arguments: string;
}

/** NDJSON. Tool calls come in pieces and go out whole, because their arguments are objects here. */
function ollamaShape(model: string, now: () => number, say: Say): LiveShape {
  const calls: ToolCall[] = [];
  const line = (body: object) => ndjson({ model, created_at: timeOf(now()), ...body });
  return {
    contentType: "application/x-ndjson",
    chunk: (_, chunk) => {
      const delta = chunk.choices?.find(({ index }) => (index ?? 0) === 0)?.delta;
      if (!delta) return "";
      collectCalls(calls, delta);
      const thinking = thinkingOf(delta);
      if (!delta.content && !thinking) return "";
      return line({ ...say(delta.content ?? "", thinking ? { thinking } : {}), done: false });
    },
    alive: () => line({ ...say(""), done: false }),
    end: (final) => {
      const spoken = calls.length ? line({ ...say("", { tool_calls: calls.map(callOf) }), done: false }) : "";
      return spoken + line({ ...say(""), ...endOf(final) });
    },
    fail: (error) => ndjson({ error: wordsOf(error), code: error.code.toLowerCase() }),
  };
}

function wholeOf(model: string, completion: Completion, final: Final, say: Say): Record<string, unknown> {
  const body = completion.body({ id: final.extra.requestId, created: 0, model }) as { choices: { message: Record<string, unknown> }[] };
  const message = body.choices[0]?.message ?? {};
  const calls = ((message.tool_calls ?? []) as { function: ToolCall }[]).map(({ function: called }) => callOf(called));
  const thinking = thinkingOf(message);
  const more = { ...(thinking ? { thinking } : {}), ...(calls.length ? { tool_calls: calls } : {}) };
  return { model, created_at: timeOf(final.endedAtMs), ...say(completion.text(), more), ...endOf(final) };
}

const thinkingOf = (delta: object): string => {
  const { reasoning_content: long, reasoning: short } = delta as { reasoning_content?: unknown; reasoning?: unknown };
  return typeof long === "string" ? long : typeof short === "string" ? short : "";
};

function collectCalls(calls: ToolCall[], delta: NonNullable<NonNullable<ChatChunk["choices"]>[number]["delta"]>): void {
  const parts = (delta as { tool_calls?: unknown }).tool_calls;
  for (const part of Array.isArray(parts) ? (parts as { index?: number; function?: Partial<ToolCall> }[]) : []) {
    const at = typeof part.index === "number" && part.index >= 0 && part.index < 1000 ? part.index : calls.length;
    calls[at] ??= { name: "", arguments: "" };
    const call = calls[at] as ToolCall;
    if (typeof part.function?.name === "string") call.name += part.function.name;
    if (typeof part.function?.arguments === "string") call.arguments += part.function.arguments;
  }
}

const callOf = (call: ToolCall) => ({ function: { name: call.name, arguments: objectOf(call.arguments) } });

function objectOf(text: string): unknown {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return { text };
  }
}
