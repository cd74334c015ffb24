import { type Clock, systemClock } from "@clawcompute/lib/node";
import { type ChatRequest, textOf } from "@clawcompute/lib/protocol";
import { createAnswerChunks, type FinishReason } from "./answerChunks.ts";
import type { Backend } from "./backend.ts";
import { samplingOf } from "./samplingOf.ts";
import { createStopSequences } from "./stopSequences.ts";

export interface EchoConfig {
  readonly kind: "echo";
  /** Wait before each word, in ms. */
  readonly tokenDelayMs?: number;
}

/** No model: answers with the last user message, word by word. A word with the space before it counts as one token. */
export function createEchoBackend(config: EchoConfig, { clock = systemClock }: { clock?: Clock } = {}): Backend {
  const delayMs = config.tokenDelayMs ?? 0;
  return {
    name: "echo",
    check: async () => {},
    close: async () => {},
    async *chat(request, signal) {
      signal.throwIfAborted();
      const { maxTokens = Number.POSITIVE_INFINITY, stop } = samplingOf(request);
      const chunks = createAnswerChunks(request.model, clock.now());
      const stops = createStopSequences(stop);
      let completionTokens = 0;
      let reason: FinishReason = "stop";
      yield chunks.role();
      for (const word of wordsOf(lastUserText(request))) {
        if (completionTokens >= maxTokens) {
          reason = "length";
          break;
        }
        if (delayMs > 0) await clock.sleep(delayMs, signal);
        signal.throwIfAborted();
        completionTokens++;
        const { text, stopped } = stops.push(word);
        if (text) yield chunks.text(text);
        if (stopped) break;
      }
      const rest = stops.rest();
      if (rest) yield chunks.text(rest);
      yield chunks.finish(reason);
      const promptTokens = request.messages.reduce((sum, message) => sum + wordsOf(textOf(message.content)).length, 0);
      yield chunks.usage({ promptTokens, completionTokens });
    },
  };
}

const wordsOf = (text: string): readonly string[] => text.match(/\s*\S+|\s+$/g) ?? [];

function lastUserText(request: ChatRequest): string {
  return textOf(request.messages.findLast((message) => message.role === "user")?.content);
}
