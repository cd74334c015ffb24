import { type AppError, toProblem } from "@clawcompute/lib/errors";
import { type ChatRequest, createCompletion } from "@clawcompute/lib/protocol";
import { mapArriving } from "../backends/arriving.ts";
import type { Backend } from "../backends/backend.ts";
import type { CompletionRequest } from "../backends/modalities.ts";
import { type ChunkHead, cutChunk, endReasonOf, isUsageOnly, readChunk, receiptChunk } from "../chunks.ts";
import { createTextCompletion } from "./textCompletion.ts";
import type { Piece, Work } from "./work.ts";

/** The chunks put together again, for callers who want them in one piece. */
interface Assembly {
  add(data: string): void;
  body(head: ChunkHead): object;
  text(): string;
}

export interface ChunkWork extends Work {
  /** The text of the first choice, in answers that are not streamed. */
  text(): string;
}

export interface WorkContext {
  readonly requestId: string;
  readonly startedAtMs: number;
}

export const createChatWork = (backend: Backend, request: ChatRequest, context: WorkContext): ChunkWork =>
  createChunkWork(context, {
    prefix: "chatcmpl",
    object: "chat.completion.chunk",
    request,
    assembly: createCompletion(),
    run: (signal) => backend.chat(request, signal),
  });

export const createCompletionWork = (
  run: NonNullable<Backend["completion"]>,
  request: CompletionRequest,
  context: WorkContext,
): ChunkWork =>
  createChunkWork(context, {
    prefix: "cmpl",
    object: "text_completion",
    request,
    assembly: createTextCompletion(),
    run: (signal) => run(request, signal),
  });

interface ChunkOptions {
  readonly prefix: string;
  readonly object: "chat.completion.chunk" | "text_completion";
  readonly request: Pick<ChatRequest, "model" | "stream" | "stream_options" | "n">;
  readonly assembly: Assembly;
  readonly run: (signal: AbortSignal) => AsyncIterable<string>;
}

/** Answers that come in chunks: chat and completions. */
function createChunkWork({ requestId, startedAtMs }: WorkContext, options: ChunkOptions): ChunkWork {
  const { object, request, assembly, run } = options;
  const streamed = request.stream === true;
  const wantsUsage = !streamed || request.stream_options?.include_usage === true;
  const finishes = new Map<number, string | undefined>();
  let head: ChunkHead = { id: `${options.prefix}-${requestId}`, created: Math.floor(startedAtMs / 1000), model: request.model };
  let units = { unitsIn: 0, unitsOut: 0 };
  let pieces = 0;

  return {
    inOnePiece: false,
    inTokens: true,
    start: (signal) => mapArriving(run(signal), (data) => ({ data })),
    take: ({ data }) => {
      const text = String(data);
      const facts = readChunk(text);
      if (facts.usage) units = facts.usage;
      if (facts.id !== undefined) head = { id: facts.id, created: facts.created ?? head.created, model: facts.model ?? head.model };
      for (const { index, finish } of facts.choices) finishes.set(index, finish ?? finishes.get(index));
      if (facts.hasContent) pieces += 1;
      const shown = wantsUsage || !isUsageOnly(facts);
      if (shown && !streamed) assembly.add(text);
      return { hasContent: facts.hasContent, shown };
    },
    isWhole: () => finishes.size > 0 && [...finishes.values()].every((finish) => finish !== undefined),
    endReason: () => endReasonOf([...finishes.values()][0] ?? "stop"),
    units: () => ({ unitsIn: units.unitsIn, unitsOut: units.unitsOut || pieces }),
    cutOff: () => {
      const open = Array.from({ length: request.n ?? 1 }, (_, index) => index).filter((index) => finishes.get(index) === undefined);
      const data = cutChunk(head, open, object);
      if (!streamed) assembly.add(data);
      return [{ data }];
    },
    failed: errorEvent,
    ending: (receipt) => [{ data: receiptChunk(head, receipt, object) }, { data: "[DONE]" }],
    body: () => ({ contentType: "application/json", bytes: JSON.stringify(assembly.body(head)) }),
    text: assembly.text,
  };
}

/** An error in the place of a chunk, as every OpenAI client reads it. */
export const errorEvent = (failure: AppError): Piece => ({ data: JSON.stringify({ error: toProblem(failure).error }) });
