import type { ChatRequest } from "@clawcompute/lib/protocol";
import { z } from "zod";

const options = z.looseObject({}).nullish();
const message = z.looseObject({
  role: z.string().max(32),
  content: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  tool_calls: z.array(z.looseObject({ function: z.looseObject({ name: z.string(), arguments: z.unknown() }) })).nullish(),
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});

const shared = {
  model: z.string().min(1).max(256),
  stream: z.boolean().nullish(),
  format: z.unknown().optional(),
  options,
  tools: z.array(z.unknown()).nullish(),
};

export const ollamaChat = z.looseObject({ ...shared, messages: z.array(message).max(10_000).default([]) });
export const ollamaGenerate = z.looseObject({
  ...shared,
  prompt: z.string().default(""),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  images: z.array(z.string()).nullish(),
});
export type OllamaChat = z.infer<typeof ollamaChat>;
export type OllamaGenerate = z.infer<typeof ollamaGenerate>;

type Message = OllamaChat["messages"][number];

/** Ollama's names of what the OpenAI API has too. */
const samplingNames: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_p: "top_p",
  seed: "seed",
  stop: "stop",
  presence_penalty: "presence_penalty",
  frequency_penalty: "frequency_penalty",
};

export function chatRequestOf({ model, messages, tools, format, options }: OllamaChat): ChatRequest {
  const sampling = samplingOf(options);
  return {
    model,
    messages: messages.map(messageOf),
    ...(tools?.length ? { tools } : {}),
    ...formatOf(format),
    ...sampling,
  } as ChatRequest;
}

export function generateRequestOf(request: OllamaGenerate): ChatRequest {
  const { system, prompt, images } = request;
  const messages = [
    ...(system ? [{ role: "system", content: system }] : []),
    { role: "user", content: prompt, ...(images?.length ? { images } : {}) },
  ];
  return chatRequestOf({ ...request, messages });
}

function messageOf(
  { role, content, images, tool_calls, tool_call_id, tool_name }: Message,
  index: number,
): ChatRequest["messages"][number] {
  const text = content ?? "";
  const parts = images?.length
    ? [
        ...(text === "" ? [] : [{ type: "text", text }]),
        ...images.map((data) => ({
          type: "image_url",
          image_url: { url: data.startsWith("data:") ? data : `data:${mimeOf(data)};base64,${data}` },
        })),
      ]
    : text;
  return {
    role,
    content: parts,
    ...(tool_calls?.length
      ? {
          tool_calls: tool_calls.map((call, place) => ({
            id: typeof call.id === "string" ? call.id : `call_${index}_${place}`,
            type: "function",
            function: {
              name: call.function.name,
              arguments:
                typeof call.function.arguments === "string" ? call.function.arguments : JSON.stringify(call.function.arguments ?? {}),
            },
          })),
        }
      : {}),
    ...(role === "tool" ? { tool_call_id: tool_call_id ?? "call_0_0", ...(tool_name ? { name: tool_name } : {}) } : {}),
  };
}

/** By the first characters of the base64 text. */
function mimeOf(base64: string): string {
  if (base64.startsWith("iVBOR")) return "image/png";
  if (base64.startsWith("R0lG")) return "image/gif";
  return base64.startsWith("UklG") ? "image/webp" : "image/jpeg";
}

function formatOf(format: unknown): object {
  if (format === "json") return { response_format: { type: "json_object" } };
  if (typeof format !== "object" || format === null) return {};
  return { response_format: { type: "json_schema", json_schema: { name: "answer", schema: format } } };
}

function samplingOf(options: OllamaChat["options"]): Record<string, unknown> {
  const sampling: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options ?? {})) {
    const target = samplingNames[name];
    if (target !== undefined) sampling[target] = value;
    if (name === "num_predict" && typeof value === "number" && value > 0) sampling.max_tokens = value;
  }
  return sampling;
}
