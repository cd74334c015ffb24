import { AppError } from "@clawcompute/lib/errors";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { z } from "zod";

/** What is read of a Responses request; fields that chat knows by the same name pass through. */
export const responsesRequest = z.looseObject({
  model: z.string().min(1).max(256),
  input: z.union([
    z.string(),
    z
      .array(z.looseObject({ type: z.string().optional(), role: z.string().optional() }))
      .min(1)
      .max(10_000),
  ]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: z.int().positive().nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).nullish(),
  tool_choice: z.unknown().optional(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
  previous_response_id: z.string().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  user: z.string().nullish(),
});
export type ResponsesRequest = z.infer<typeof responsesRequest>;
type Message = ChatRequest["messages"][number];
type Item = Exclude<ResponsesRequest["input"], string>[number];

/** The same request as a chat. Throws UNSUPPORTED for what only a server with a memory can do. */
export function chatOfResponses(request: ResponsesRequest): ChatRequest {
  const {
    model,
    input,
    instructions,
    max_output_tokens,
    tools,
    tool_choice,
    text,
    reasoning,
    temperature,
    top_p,
    parallel_tool_calls,
    user,
  } = request;
  if (request.previous_response_id) {
    throw new AppError("UNSUPPORTED", "Answers are not kept here, so none can be continued by its id.", {
      param: "previous_response_id",
      hint: "Send the whole conversation as input.",
    });
  }
  const other = tools?.find(({ type }) => type !== "function");
  if (other)
    throw new AppError("UNSUPPORTED", `The tool type ${JSON.stringify(other.type.slice(0, 40))} is not offered here.`, { param: "tools" });
  const messages: Message[] = [
    ...(instructions ? [{ role: "system", content: instructions }] : []),
    ...(typeof input === "string" ? [{ role: "user", content: input }] : messagesOf(input)),
  ];
  const given = { temperature, top_p, user, ...(tools?.length ? { parallel_tool_calls } : {}) };
  return {
    model,
    messages,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)),
    ...(max_output_tokens ? { max_tokens: max_output_tokens } : {}),
    ...(tools?.length ? { tools: tools.map(({ type: _, ...fields }) => ({ type: "function", function: functionOf(fields) })) } : {}),
    ...(tool_choice === undefined || tool_choice === null ? {} : { tool_choice: toolChoiceOf(tool_choice) }),
    ...(reasoning?.effort ? { reasoning_effort: reasoning.effort } : {}),
    ...formatOf(text?.format ?? undefined),
  };
}

const functionOf = ({ name, description, parameters, strict }: Record<string, unknown>) => ({
  name,
  ...(description === undefined ? {} : { description }),
  ...(parameters === undefined || parameters === null ? {} : { parameters }),
  ...(strict === undefined || strict === null ? {} : { strict }),
});

function toolChoiceOf(choice: unknown): unknown {
  const named = choice as { type?: unknown; name?: unknown };
  return typeof choice === "object" && choice !== null && named.type === "function"
    ? { type: "function", function: { name: named.name } }
    : choice;
}

function formatOf(format: Record<string, unknown> | undefined): object {
  if (!format || format.type === "text") return {};
  if (format.type === "json_object") return { response_format: { type: "json_object" } };
  const { type: _, ...json_schema } = format;
  return { response_format: { type: "json_schema", json_schema } };
}

/** Calls that follow each other belong to one message of the assistant. */
function messagesOf(items: readonly Item[]): Message[] {
  const messages: Message[] = [];
  for (const item of items) {
    const fields = item as Record<string, unknown>;
    if (item.type === "function_call") {
      const call = { id: fields.call_id, type: "function", function: { name: fields.name, arguments: fields.arguments } };
      const last = messages.at(-1) as { role: string; tool_calls?: unknown[] } | undefined;
      if (last?.role === "assistant") last.tool_calls = [...(last.tool_calls ?? []), call];
      else messages.push({ role: "assistant", content: null, tool_calls: [call] });
    } else if (item.type === "function_call_output") {
      const output = typeof fields.output === "string" ? fields.output : JSON.stringify(fields.output ?? "");
      messages.push({ role: "tool", tool_call_id: fields.call_id, content: output });
    } else if (item.role !== undefined && (item.type === undefined || item.type === "message")) {
      messages.push({ role: item.role, content: contentOf(fields.content) });
    } else if (item.type !== "reasoning") {
      throw new AppError("UNSUPPORTED", `Input items of type ${JSON.stringify(String(item.type).slice(0, 40))} are not understood here.`, {
        param: "input",
      });
    }
  }
  return messages;
}

function contentOf(content: unknown): Message["content"] {
  if (!Array.isArray(content)) return typeof content === "string" ? content : "";
  const parts = (content as Record<string, unknown>[]).map((part) => {
    if (part.type === "input_image")
      return { type: "image_url", image_url: { url: part.image_url, ...(part.detail ? { detail: part.detail } : {}) } };
    return { type: "text", text: typeof part.text === "string" ? part.text : String(part.refusal ?? "") };
  });
  const onlyText = parts.every(({ type }) => type === "text");
  return onlyText ? parts.map((part) => (part as { text: string }).text).join("") : (parts as Message["content"]);
}
