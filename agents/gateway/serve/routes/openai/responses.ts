import { readBody } from "@clawcompute/lib/node";
import type { ChatChunk, Completion } from "@clawcompute/lib/protocol";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { parseBody } from "../../parseBody.ts";
import { type Final, type LiveShape, respond, serveChat } from "../../serveChat.ts";
import { wireError } from "./chat.ts";
import { chatOfResponses, type ResponsesRequest, responsesRequest } from "./responsesRequest.ts";

/** `POST /v1/responses`, translated to a chat and back. */
export const responses =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
    const { value, maxCostWei } = parseBody(responsesRequest, text);
    const request = chatOfResponses(value);
    return respond(context, c, client, text, (broadcast) =>
      serveChat(context, broadcast, {
        client,
        request,
        route: "responses",
        maxCostWei,
        live: value.stream ? responsesShape(value, context.clock.now) : undefined,
        compose: (completion, final) => wholeResponse(value, completion, final),
      }),
    );
  };

interface Call {
  readonly index: number;
  id: string;
  name: string;
  arguments: string;
}

/** What a response looks like apart from its output. */
function responseOf(
  request: ResponsesRequest,
  id: string,
  createdAt: number,
  status: string,
  output: readonly object[],
  more: object = {},
) {
  return {
    id,
    object: "response",
    created_at: createdAt,
    status,
    model: request.model,
    output,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    temperature: request.temperature ?? null,
    top_p: request.top_p ?? null,
    tool_choice: request.tool_choice ?? "auto",
    tools: request.tools ?? [],
    metadata: {},
    store: false,
    usage: null,
    ...more,
  };
}

const messageItem = (id: string, text: string, status: string) => ({
  id,
  type: "message",
  role: "assistant",
  status,
  content: [{ type: "output_text", text, annotations: [] }],
});
const callItem = (call: Call, status: string) => ({
  id: `fc_${call.id}`,
  type: "function_call",
  call_id: call.id,
  name: call.name,
  arguments: call.arguments,
  status,
});

function endingOf({ finishReason, promptTokens, completionTokens, extra, source }: Final) {
  const cut = finishReason === "length" ? "max_output_tokens" : finishReason === "content_filter" ? "content_filter" : undefined;
  return {
    status: cut ? "incomplete" : "completed",
    more: {
      model: source.model,
      incomplete_details: cut ? { reason: cut } : null,
      usage: {
        input_tokens: promptTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: completionTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: promptTokens + completionTokens,
      },
      clawcompute: extra,
    },
  };
}

function wholeResponse(request: ResponsesRequest, completion: Completion, final: Final): Record<string, unknown> {
  const body = completion.body({ id: "", created: 0, model: request.model }) as { choices: { message: Record<string, unknown> }[] };
  const message = body.choices[0]?.message ?? {};
  const calls = ((message.tool_calls ?? []) as { id?: string; function: { name: string; arguments: string } }[]).map((call, index) => ({
    index,
    id: call.id ?? `call_${index}`,
    ...call.function,
  }));
  const { status, more } = endingOf(final);
  const output = [
    ...(completion.text() === "" && calls.length > 0 ? [] : [messageItem(`msg_${final.extra.requestId}`, completion.text(), status)]),
    ...calls.map((call) => callItem(call, status)),
  ];
  return responseOf(request, `resp_${final.extra.requestId}`, Math.floor(final.startedAtMs / 1000), status, output, {
    ...more,
    output_text: completion.text(),
  });
}

/** The events that clients of the Responses API wait for, in their order. */
function responsesShape(request: ResponsesRequest, now: () => number): LiveShape {
  const createdAt = Math.floor(now() / 1000);
  const responseId = `resp_${createdAt}_${Math.random().toString(36).slice(2, 10)}`;
  const messageId = responseId.replace("resp", "msg");
  let sequence = 0;
  let text = "";
  let messageAt = -1;
  let items = 0;
  let begun = false;
  const calls = new Map<number, Call>();

  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`;
  const begin = (): string => {
    if (begun) return "";
    begun = true;
    const response = responseOf(request, responseId, createdAt, "in_progress", []);
    return event("response.created", { response }) + event("response.in_progress", { response });
  };
  const openMessage = (): string => {
    if (messageAt >= 0) return "";
    messageAt = items++;
    return (
      event("response.output_item.added", {
        output_index: messageAt,
        item: { ...messageItem(messageId, "", "in_progress"), content: [] },
      }) +
      event("response.content_part.added", {
        item_id: messageId,
        output_index: messageAt,
        content_index: 0,
        part: { type: "output_text", text: "", annotations: [] },
      })
    );
  };
  const callPart = (part: { index?: number; id?: string; function?: { name?: string; arguments?: string } }): string => {
    const at = part.index ?? calls.size;
    let out = "";
    let call = calls.get(at);
    if (!call) {
      call = { index: items++, id: part.id ?? `call_${at}`, name: part.function?.name ?? "", arguments: "" };
      calls.set(at, call);
      out += event("response.output_item.added", { output_index: call.index, item: callItem(call, "in_progress") });
    }
    const delta = part.function?.arguments ?? "";
    call.arguments += delta;
    if (delta) out += event("response.function_call_arguments.delta", { item_id: `fc_${call.id}`, output_index: call.index, delta });
    return out;
  };

  return {
    contentType: "text/event-stream; charset=utf-8",
    chunk: (_, chunk: ChatChunk) => {
      const delta = chunk.choices?.find(({ index }) => (index ?? 0) === 0)?.delta;
      let out = begin();
      if (delta?.content) {
        out += openMessage();
        text += delta.content;
        out += event("response.output_text.delta", {
          item_id: messageId,
          output_index: messageAt,
          content_index: 0,
          delta: delta.content,
          logprobs: [],
        });
      }
      const parts = (delta as { tool_calls?: unknown } | undefined)?.tool_calls;
      for (const part of Array.isArray(parts) ? parts : []) out += callPart(part as Parameters<typeof callPart>[0]);
      return out;
    },
    alive: (words) => `: ${words}\n\n`,
    end: (final) => {
      let out = begin();
      if (calls.size === 0) out += openMessage();
      const { status, more } = endingOf(final);
      const output: object[] = [];
      if (messageAt >= 0) {
        const part = { type: "output_text", text, annotations: [] };
        const item = messageItem(messageId, text, status);
        out += event("response.output_text.done", { item_id: messageId, output_index: messageAt, content_index: 0, text, logprobs: [] });
        out += event("response.content_part.done", { item_id: messageId, output_index: messageAt, content_index: 0, part });
        out += event("response.output_item.done", { output_index: messageAt, item });
        output[messageAt] = item;
      }
      for (const call of calls.values()) {
        const item = callItem(call, status);
        out += event("response.function_call_arguments.done", {
          item_id: item.id,
          output_index: call.index,
          name: call.name,
          arguments: call.arguments,
        });
        out += event("response.output_item.done", { output_index: call.index, item });
        output[call.index] = item;
      }
      const response = responseOf(request, responseId, createdAt, status, output, more);
      return out + event(status === "completed" ? "response.completed" : "response.incomplete", { response });
    },
    fail: (error) => event("error", { ...wireError(error), error: wireError(error) }),
  };
}
