import { type Clock, systemClock } from "@clawcompute/lib/node";
import { type ChatRequest, textOf } from "@clawcompute/lib/protocol";
import { type AnswerChunks, createChatChunks, createCompletionChunks, type FinishReason } from "./answerChunks.ts";
import type { Backend } from "./backend.ts";
import { echoEmbeddings } from "./echoEmbeddings.ts";
import { onePrompt, type Sampling, samplingOf } from "./samplingOf.ts";
import { createStopSequences } from "./stopSequences.ts";

export interface EchoConfig {
  readonly kind: "echo";
  /** Wait before each word, in ms. */
  readonly tokenDelayMs?: number;
}

/** No model: answers with the last user message, word by word. A word with the space before it counts as one token. */
export function createEchoBackend(config: EchoConfig, { clock = systemClock }: { clock?: Clock } = {}): Backend {
  const delayMs = config.tokenDelayMs ?? 0;

  async function* say(
    text: string,
    chunks: AnswerChunks,
    sampling: Sampling,
    promptTokens: number,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const { maxTokens = Number.POSITIVE_INFINITY, stop } = sampling;
    const stops = createStopSequences(stop);
    let completionTokens = 0;
    let reason: FinishReason = "stop";
    yield* chunks.begin();
    for (const word of wordsOf(text)) {
      if (completionTokens >= maxTokens) {
        reason = "length";
        break;
      }
      if (delayMs > 0) await clock.sleep(delayMs, signal);
      signal.throwIfAborted();
      completionTokens++;
      const out = stops.push(word);
      if (out.text) yield chunks.text(out.text);
      if (out.stopped) break;
    }
    const rest = stops.rest();
    if (rest) yield chunks.text(rest);
    yield chunks.finish(reason);
    yield chunks.usage({ promptTokens, completionTokens });
  }

  return {
    name: "echo",
    check: async () => {},
    close: async () => {},
    async *chat(request, signal) {
      signal.throwIfAborted();
      const promptTokens = request.messages.reduce((sum, message) => sum + wordsOf(textOf(message.content)).length, 0);
      yield* say(lastUserText(request), createChatChunks(request.model, clock.now()), samplingOf(request), promptTokens, signal);
    },
    async *completion(request, signal) {
      signal.throwIfAborted();
      const prompt = onePrompt(request.prompt);
      yield* say(prompt, createCompletionChunks(request.model, clock.now()), samplingOf(request), wordsOf(prompt).length, signal);
    },
    async embeddings(request, signal) {
      signal.throwIfAborted();
      return echoEmbeddings(request);
    },
  };
}

const wordsOf = (text: string): readonly string[] => text.match(/\s*\S+|\s+$/g) ?? [];

function lastUserText(request: ChatRequest): string {
  return textOf(request.messages.findLast((message) => message.role === "user")?.content);
}
