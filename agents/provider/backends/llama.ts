import { AppError } from "@clawcompute/lib/errors";
import { type Clock, systemClock } from "@clawcompute/lib/node";
import type { LlamaChatResponse, LlamaContextSequence, LlamaGrammar, Token } from "node-llama-cpp";
import { createAnswerChunks } from "./answerChunks.ts";
import type { Backend } from "./backend.ts";
import { createChunkQueue } from "./chunkQueue.ts";
import { type LlamaConfig, type LlamaEngine, loadLlamaEngine } from "./llamaEngine.ts";
import { llamaHistory } from "./llamaHistory.ts";
import { type Sampling, samplingOf } from "./samplingOf.ts";
import { createSlots } from "./slots.ts";

export type { LlamaConfig } from "./llamaEngine.ts";

const MAX_WAIT_MS = 5_000;
/** The engine cannot be interrupted within one call: a prompt goes in by pieces that take about this long. */
const PREFILL_STEP_MS = 200;
const FIRST_PREFILL_STEP = 64;

/** A GGUF model in this process, by llama.cpp. Greedy (the same answer every time) unless the request gives a temperature. */
export function createLlamaBackend(config: LlamaConfig, { clock = systemClock }: { clock?: Clock } = {}): Backend {
  const slots = createSlots({ places: config.slots ?? 2, maxWaiting: 4 * (config.slots ?? 2), maxWaitMs: MAX_WAIT_MS }, clock);
  const closing = new AbortController();
  const working = new Set<Promise<unknown>>();
  let engine: Promise<LlamaEngine> | undefined;
  const load = () => {
    closing.signal.throwIfAborted();
    engine ??= loadLlamaEngine(config).catch((error) => {
      engine = undefined;
      throw error;
    });
    return engine;
  };

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
      await (await engine)?.dispose();
    },
    async *chat(request, signal) {
      signal.throwIfAborted();
      const sampling = samplingOf(request);
      const history = llamaHistory(request.messages);
      const loaded = await load();
      const prompt = loaded.tokensOf(history);
      const maxTokens = answerRoom(prompt.length, loaded.context.contextSize, sampling.maxTokens);
      const grammar = await grammarOf(loaded, sampling);
      const release = await slots.take(AbortSignal.any([signal, closing.signal]));

      const chunks = createAnswerChunks(request.model, clock.now());
      const queue = createChunkQueue<{ text: string; thought: boolean }>();
      const left = new AbortController();
      const stop = AbortSignal.any([signal, closing.signal, left.signal]);
      const onStop = () => queue.end(stop.reason);
      stop.addEventListener("abort", onStop, { once: true });
      let completionTokens = 0;
      const work = answer(loaded, { history, prompt, maxTokens, grammar, sampling, stop }, (tokens, text, thought) => {
        completionTokens += tokens;
        if (text) queue.push({ text, thought });
      });
      working.add(work);
      work.then(
        () => queue.end(),
        (error) => queue.end(error),
      );
      try {
        let begun = false;
        for await (const { text, thought } of queue) {
          if (!begun) yield chunks.role();
          begun = true;
          yield thought ? chunks.reasoning(text) : chunks.text(text);
        }
        const reason = await work;
        if (!begun) yield chunks.role();
        yield chunks.finish(reason === "maxTokens" ? "length" : "stop");
        yield chunks.usage({ promptTokens: prompt.length, completionTokens });
      } finally {
        stop.removeEventListener("abort", onStop);
        left.abort();
        await work.catch(() => {});
        working.delete(work);
        release();
      }
    },
  };
}

interface Plan {
  readonly history: ReturnType<typeof llamaHistory>;
  readonly prompt: Token[];
  readonly maxTokens: number;
  readonly grammar: LlamaGrammar | undefined;
  readonly sampling: Sampling;
  readonly stop: AbortSignal;
}

/** One answer on a sequence of its own. Gives the sequence back before it settles. Throws `stop`'s reason when that aborts. */
async function answer(
  { context, wrapper, library }: LlamaEngine,
  { history, prompt, maxTokens, grammar, sampling, stop }: Plan,
  onTokens: (tokens: number, text: string, thought: boolean) => void,
): Promise<LlamaChatResponse["metadata"]["stopReason"]> {
  const sequence = context.getSequence();
  const chat = new library.LlamaChat({ contextSequence: sequence, chatWrapper: wrapper });
  try {
    await prefill(sequence, prompt, stop);
    const { metadata } = await chat.generateResponse(history, {
      signal: stop,
      maxTokens,
      temperature: sampling.temperature,
      ...(sampling.topP !== undefined && { topP: sampling.topP }),
      ...(sampling.seed !== undefined && { seed: sampling.seed }),
      ...(grammar && { grammar }),
      customStopTriggers: sampling.stop,
      repeatPenalty: false,
      onResponseChunk: ({ tokens, text, type }) => onTokens(tokens.length, text, type === "segment"),
    });
    return metadata.stopReason;
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    if (error instanceof AppError) throw error;
    throw new AppError("UPSTREAM_FAILED", "The model broke off.", { cause: error });
  } finally {
    chat.dispose({ disposeSequence: false });
    await sequence.dispose();
  }
}

/** Reads the prompt but for its last token, stopping between pieces. */
async function prefill(sequence: LlamaContextSequence, prompt: readonly Token[], stop: AbortSignal): Promise<void> {
  let size = FIRST_PREFILL_STEP;
  for (let at = 0; at < prompt.length - 1; ) {
    stop.throwIfAborted();
    const piece = prompt.slice(at, Math.min(at + size, prompt.length - 1));
    const startedAt = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(piece);
    const perToken = (performance.now() - startedAt) / piece.length;
    at += piece.length;
    size = Math.min(size * 4, Math.max(1, Math.floor(PREFILL_STEP_MS / perToken)));
  }
  stop.throwIfAborted();
}

function answerRoom(promptTokens: number, contextTokens: number, wanted: number | undefined): number {
  // One place is for the end-of-text token, one is what the engine keeps free.
  const room = contextTokens - promptTokens - 2;
  if (room >= 1) return Math.min(wanted ?? room, room);
  throw new AppError("CONTEXT_TOO_LONG", `The conversation has ${promptTokens} tokens; this model reads ${contextTokens}.`, {
    param: "messages",
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
