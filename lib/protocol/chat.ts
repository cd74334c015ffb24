import { z } from "zod";

const part = z.looseObject({ type: z.string() });
const message = z.looseObject({
  role: z.string().max(32),
  content: z.union([z.string(), z.array(part), z.null()]).optional(),
});

/** What we read of a chat request; every other field passes through to the model untouched. */
export const chatRequest = z.looseObject({
  model: z.string().min(1).max(256),
  messages: z.array(message).min(1).max(10_000),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  n: z.int().min(1).max(16).nullish(),
});
export type ChatRequest = z.infer<typeof chatRequest>;

/** What we read of a chunk; everything else passes through. */
export const chatChunk = z.looseObject({
  id: z.string().optional(),
  model: z.string().optional(),
  choices: z
    .array(
      z.looseObject({
        index: z.int().optional(),
        delta: z.looseObject({ content: z.string().nullish(), role: z.string().nullish() }).optional(),
        finish_reason: z.string().nullish(),
      }),
    )
    .optional(),
  usage: z.looseObject({ prompt_tokens: z.number().optional(), completion_tokens: z.number().optional() }).nullish(),
  error: z.unknown().optional(),
});
export type ChatChunk = z.infer<typeof chatChunk>;

/** The text of a message whose content is a string or an array of parts. */
export function textOf(content: ChatRequest["messages"][number]["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((item) => (typeof item.text === "string" ? item.text : "")).join("");
}
