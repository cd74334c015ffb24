import { randomUUID } from "node:crypto";

export type FinishReason = "stop" | "length";

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** The events of one answer, for engines that produce plain text. */
export interface AnswerChunks {
  /** What goes before the first text. */
  begin(): readonly string[];
  text(content: string): string;
  /** What a reasoning model thinks before it answers; the field name that vLLM, DeepSeek and llama.cpp use. */
  reasoning(content: string): string;
  finish(reason: FinishReason): string;
  usage(usage: Usage): string;
}

export function createChatChunks(model: string, nowMs: number): AnswerChunks {
  const { common, usage } = createHead("chatcmpl", "chat.completion.chunk", model, nowMs);
  const choice = (delta: object, finish: FinishReason | null = null) =>
    JSON.stringify({ ...common, choices: [{ index: 0, delta, finish_reason: finish }] });
  return {
    begin: () => [choice({ role: "assistant", content: "" })],
    text: (content) => choice({ content }),
    reasoning: (content) => choice({ reasoning_content: content }),
    finish: (reason) => choice({}, reason),
    usage,
  };
}

export function createCompletionChunks(model: string, nowMs: number): AnswerChunks {
  const { common, usage } = createHead("cmpl", "text_completion", model, nowMs);
  const choice = (text: string, finish: FinishReason | null = null) =>
    JSON.stringify({ ...common, choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] });
  return {
    begin: () => [],
    text: (content) => choice(content),
    reasoning: (content) => choice(content),
    finish: (reason) => choice("", reason),
    usage,
  };
}

function createHead(prefix: string, object: string, model: string, nowMs: number) {
  const common = { id: `${prefix}-${randomUUID()}`, object, created: Math.floor(nowMs / 1000), model };
  const usage = ({ promptTokens, completionTokens }: Usage) =>
    JSON.stringify({
      ...common,
      choices: [],
      usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens },
    });
  return { common, usage };
}
