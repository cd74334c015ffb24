import { AppError } from "@clawcompute/lib/errors";
import type { ChatHistoryItem, LlamaContextSequence, LlamaGrammar, Token } from "node-llama-cpp";
import type { LlamaEngine } from "./llamaEngine.ts";
import type { Sampling } from "./samplingOf.ts";

/** The engine cannot be interrupted within one call: a prompt goes in by pieces that take about this long. */
const PREFILL_STEP_MS = 200;
const FIRST_PREFILL_STEP = 64;

export interface LlamaPlan {
  /** A conversation in the model's template, or text to go on with. */
  readonly input: { readonly history: readonly ChatHistoryItem[] } | { readonly text: string };
  /** The tokens of the input. */
  readonly prompt: readonly Token[];
  readonly maxTokens: number;
  readonly grammar: LlamaGrammar | undefined;
  readonly sampling: Sampling;
}

export interface LlamaPiece {
  readonly tokens: number;
  readonly text: string;
  readonly thought: boolean;
}

/**
 * One answer on a sequence of its own, which is given back before this settles; true when maxTokens cut it. Throws `stop`'s reason
 * when that aborts, within one token.
 */
export async function llamaAnswer(
  engine: LlamaEngine,
  plan: LlamaPlan,
  stop: AbortSignal,
  onPiece: (piece: LlamaPiece) => void,
): Promise<boolean> {
  const sequence = engine.context.getSequence();
  try {
    await prefill(sequence, plan.prompt, stop);
    const reason =
      "text" in plan.input
        ? await complete(engine, sequence, plan, stop, onPiece)
        : await reply(engine, sequence, plan, plan.input, stop, onPiece);
    return reason === "maxTokens";
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    if (error instanceof AppError) throw error;
    throw new AppError("UPSTREAM_FAILED", "The model broke off.", { cause: error });
  } finally {
    await sequence.dispose();
  }
}

async function reply(
  { library, wrapper }: LlamaEngine,
  sequence: LlamaContextSequence,
  plan: LlamaPlan,
  { history }: { history: readonly ChatHistoryItem[] },
  stop: AbortSignal,
  onPiece: (piece: LlamaPiece) => void,
) {
  const chat = new library.LlamaChat({ contextSequence: sequence, chatWrapper: wrapper });
  try {
    const { metadata } = await chat.generateResponse([...history], {
      ...generationOf(plan, stop),
      onResponseChunk: ({ tokens, text, type }) => onPiece({ tokens: tokens.length, text, thought: type === "segment" }),
    });
    return metadata.stopReason;
  } finally {
    chat.dispose({ disposeSequence: false });
  }
}

async function complete(
  { library }: LlamaEngine,
  sequence: LlamaContextSequence,
  plan: LlamaPlan,
  stop: AbortSignal,
  onPiece: (piece: LlamaPiece) => void,
) {
  const completion = new library.LlamaCompletion({ contextSequence: sequence });
  try {
    const { metadata } = await completion.generateCompletionWithMeta([...plan.prompt].slice(beginningOf(plan.prompt, sequence)), {
      ...generationOf(plan, stop),
      contextShiftSize: 1,
      onToken: (tokens) => onPiece({ tokens: tokens.length, text: "", thought: false }),
      onTextChunk: (text) => onPiece({ tokens: 0, text, thought: false }),
    });
    return metadata.stopReason;
  } finally {
    completion.dispose({ disposeSequence: false });
  }
}

/** The completion puts the beginning-of-text token there itself. */
function beginningOf(prompt: readonly Token[], { model }: LlamaContextSequence): number {
  return model.tokens.bos !== null && prompt[0] === model.tokens.bos ? 1 : 0;
}

function generationOf({ maxTokens, grammar, sampling }: LlamaPlan, stop: AbortSignal) {
  return {
    signal: stop,
    maxTokens,
    temperature: sampling.temperature,
    ...(sampling.topP !== undefined && { topP: sampling.topP }),
    ...(sampling.seed !== undefined && { seed: sampling.seed }),
    ...(grammar && { grammar }),
    customStopTriggers: sampling.stop,
    repeatPenalty: false,
  } as const;
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
