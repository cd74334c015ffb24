import { randomUUID } from "node:crypto";

export type FinishReason = "stop" | "length";

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** The `chat.completion.chunk` events of one answer, for engines that produce plain text. */
export interface AnswerChunks {
  role(): string;
  text(content: string): string;
  /** What a reasoning model thinks before it answers; the field name that vLLM, DeepSeek and llama.cpp use. */
  reasoning(content: string): string;
  finish(reason: FinishReason): string;
  usage(usage: Usage): string;
}

export function createAnswerChunks(model: string, nowMs: number): AnswerChunks {
  const common = { id: `chatcmpl-${randomUUID()}`, object: "chat.completion.chunk", created: Math.floor(nowMs / 1000), model };
  const choice = (delta: object, finish: FinishReason | null = null) =>
    JSON.stringify({ ...common, choices: [{ index: 0, delta, finish_reason: finish }] });
  return {
    role: () => choice({ role: "assistant", content: "" }),
    text: (content) => choice({ content }),
    reasoning: (content) => choice({ reasoning_content: content }),
    finish: (reason) => choice({}, reason),
    usage: (usage) => JSON.stringify({ ...common, choices: [], usage: usageOnWire(usage) }),
  };
}

function usageOnWire({ promptTokens, completionTokens }: Usage) {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens };
}
