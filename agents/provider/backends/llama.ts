import { AppError } from "@clawcompute/lib/errors";
import { type Clock, systemClock } from "@clawcompute/lib/node";
import type { LlamaEmbeddingContext, LlamaGrammar } from "node-llama-cpp";
import { type AnswerChunks, createChatChunks, createCompletionChunks } from "./answerChunks.ts";
import type { Backend } from "./backend.ts";
import { createChunkQueue } from "./chunkQueue.ts";
import { type LlamaPiece, type LlamaPlan, llamaAnswer } from "./llamaAnswer.ts";
import { type LlamaConfig, type LlamaEngine, loadLlamaEngine } from "./llamaEngine.ts";
import { llamaHistory } from "./llamaHistory.ts";
import { textsOf } from "./modalities.ts";
import { onePrompt, type Sampling, samplingOf } from "./samplingOf.ts";
import { createSlots } from "./slots.ts";

export type { LlamaConfig } from "./llamaEngine.ts";

const MAX_WAIT_MS = 5_000;
const MAX_EMBEDDING_CONTEXT = 8192;

/** A GGUF model in this process, by llama.cpp. Greedy (the same answer every time) unless the request gives a temperature. */
export function createLlamaBackend(config: LlamaConfig, { clock = systemClock }: { clock?: Clock } = {}): Backend {
  const slots = createSlots({ places: config.slots ?? 2, maxWaiting: 4 * (config.slots ?? 2), maxWaitMs: MAX_WAIT_MS }, clock);
  const closing = new AbortController();
  const working = new Set<Promise<unknown>>();
  let engine: Promise<LlamaEngine> | undefined;
  let embedder: Promise<LlamaEmbeddingContext> | undefined;
  const load = () => {
    closing.signal.throwIfAborted();
    engine ??= loadLlamaEngine(config).catch((error) => {
      engine = undefined;
      throw error;
    });
    return engine;
  };

  async function* produce(loaded: LlamaEngine, plan: LlamaPlan, chunks: AnswerChunks, signal: AbortSignal): AsyncGenerator<string> {
    const release = await slots.take(AbortSignal.any([signal, closing.signal]));
    const queue = createChunkQueue<LlamaPiece>();
    const left = new AbortController();
    const stop = AbortSignal.any([signal, closing.signal, left.signal]);
    const onStop = () => queue.end(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    const work = llamaAnswer(loaded, plan, stop, queue.push);
    working.add(work);
    work.then(
      () => queue.end(),
      (error) => queue.end(error),
    );
    let completionTokens = 0;
    try {
      let begun = false;
      for await (const { tokens, text, thought } of queue) {
        completionTokens += tokens;
        if (!text) continue;
        if (!begun) yield* chunks.begin();
        begun = true;
        yield thought ? chunks.reasoning(text) : chunks.text(text);
      }
      const cut = await work;
      if (!begun) yield* chunks.begin();
      yield chunks.finish(cut ? "length" : "stop");
      yield chunks.usage({ promptTokens: plan.prompt.length, completionTokens });
    } finally {
      stop.removeEventListener("abort", onStop);
      left.abort();
      await work.catch(() => {});
      working.delete(work);
      release();
    }
  }

  return {
    name: "llama",
    async check(signal) {
      signal.throwIfAborted();
      await load();
      signal.throwIfAborted();
    },
    async close() {
      closing.abort(new AppError("UPSTREAM_FAILED", "The model is closed."));
      await Promise.allSettled([...working]);
      await (await engine?.catch(() => undefined))?.dispose();
    },
    async *chat(request, signal) {
      signal.throwIfAborted();
      const sampling = samplingOf(request);
      const history = llamaHistory(request.messages);
      const loaded = await load();
      const prompt = loaded.tokensOf(history);
      const maxTokens = answerRoom(loaded, prompt.length, sampling, "messages");
      const grammar = await grammarOf(loaded, sampling);
      yield* produce(
        loaded,
        { input: { history }, prompt, maxTokens, grammar, sampling },
        createChatChunks(request.model, clock.now()),
        signal,
      );
    },
    async *completion(request, signal) {
      signal.throwIfAborted();
      const sampling = samplingOf(request);
      const text = onePrompt(request.prompt);
      const loaded = await load();
      const prompt = loaded.textTokens(text);
      const maxTokens = answerRoom(loaded, prompt.length, sampling, "prompt");
      const grammar = await grammarOf(loaded, sampling);
      yield* produce(
        loaded,
        { input: { text }, prompt, maxTokens, grammar, sampling },
        createCompletionChunks(request.model, clock.now()),
        signal,
      );
    },
    async embeddings(request, signal) {
      signal.throwIfAborted();
      if (request.dimensions != null) throw new AppError("UNSUPPORTED", "This model's vectors have one size.", { param: "dimensions" });
      const { model } = (await load()).context;
      const contextSize = Math.min(model.trainContextSize, MAX_EMBEDDING_CONTEXT);
      embedder ??= model.createEmbeddingContext({ threads: config.threads ?? 1, contextSize }).catch((cause) => {
        embedder = undefined;
        throw new AppError("UNSUPPORTED", "This model gives no embeddings.", { cause });
      });
      const context = await embedder;
      const release = await slots.take(AbortSignal.any([signal, closing.signal]));
      const vectors: (readonly number[])[] = [];
      let promptTokens = 0;
      try {
        for (const text of textsOf(request.input)) {
          signal.throwIfAborted();
          const length = context.calculateInputLength(text);
          if (length > contextSize) throw tooLong(length, contextSize, "input");
          const work = context.getEmbeddingFor(text);
          working.add(work);
          vectors.push((await work.finally(() => working.delete(work))).vector);
          promptTokens += length;
        }
      } finally {
        release();
      }
      return { vectors, promptTokens };
    },
  };
}

function answerRoom({ context }: LlamaEngine, promptTokens: number, { maxTokens }: Sampling, param: string): number {
  // One place is for the end-of-text token, one is what the engine keeps free.
  const room = context.contextSize - promptTokens - 2;
  if (room < 1) throw tooLong(promptTokens, context.contextSize, param);
  return Math.min(maxTokens ?? room, room);
}

function tooLong(promptTokens: number, contextTokens: number, param: string): AppError {
  return new AppError("CONTEXT_TOO_LONG", `${promptTokens} tokens are too many: this model reads ${contextTokens}.`, {
    param,
    facts: { promptTokens, contextTokens },
  });
}

async function grammarOf({ llama }: LlamaEngine, { format }: Sampling): Promise<LlamaGrammar | undefined> {
  if (format.type === "text") return undefined;
  if (format.type === "json_object") return await llama.getGrammarFor("json");
  try {
    const { schema } = format.json_schema as { schema: Parameters<typeof llama.createGrammarForJsonSchema>[0] };
    return await llama.createGrammarForJsonSchema(schema);
  } catch (cause) {
    throw new AppError("UPSTREAM_REFUSED", "response_format: this JSON schema cannot be used.", { param: "response_format", cause });
  }
}
