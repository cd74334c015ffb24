import { AppError } from "@clawcompute/lib/errors";
import { type ChunkHead, type EndReason, RECEIPT_KEY } from "@clawcompute/lib/protocol";

export type { ChunkHead };

/** What the provider reads of a chunk; the chunk itself goes on untouched. */
export interface ChunkFacts {
  readonly id: string | undefined;
  readonly model: string | undefined;
  readonly created: number | undefined;
  /** Something of the answer itself, not only a role. */
  readonly hasContent: boolean;
  readonly choices: readonly { readonly index: number; readonly finish: string | undefined }[];
  readonly usage: { readonly unitsIn: number; readonly unitsOut: number } | undefined;
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const countOf = (value: unknown): number => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0);

/** Throws UPSTREAM_FAILED when it is no chunk, or an error in the place of one. */
export function readChunk(data: string): ChunkFacts {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch (cause) {
    throw new AppError("UPSTREAM_FAILED", "The model sent something that is not JSON.", { cause });
  }
  const chunk = fieldsOf(parsed);
  if (chunk.error !== undefined && chunk.error !== null)
    throw new AppError("UPSTREAM_FAILED", "The model reported an error in the middle of the answer.");
  const choices = (Array.isArray(chunk.choices) ? chunk.choices : []).map(fieldsOf);
  const usage = typeof chunk.usage === "object" && chunk.usage !== null ? fieldsOf(chunk.usage) : undefined;
  return {
    id: typeof chunk.id === "string" ? chunk.id : undefined,
    model: typeof chunk.model === "string" ? chunk.model : undefined,
    created: typeof chunk.created === "number" ? chunk.created : undefined,
    hasContent: choices.some(
      (choice) => !isEmpty(choice.text) || Object.entries(fieldsOf(choice.delta)).some(([key, value]) => key !== "role" && !isEmpty(value)),
    ),
    choices: choices.map((choice) => ({
      index: countOf(choice.index),
      finish: typeof choice.finish_reason === "string" && choice.finish_reason !== "" ? choice.finish_reason : undefined,
    })),
    usage: usage && { unitsIn: countOf(usage.prompt_tokens), unitsOut: countOf(usage.completion_tokens) },
  };
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** A chunk that only carries usage: the caller gets it only when asked for. */
export const isUsageOnly = (facts: ChunkFacts): boolean => facts.usage !== undefined && facts.choices.length === 0;

/** How a receipt calls an engine's own reason for ending. */
export function endReasonOf(finish: string): EndReason {
  if (finish === "length" || finish === "content_filter") return finish;
  return finish === "tool_calls" || finish === "function_call" ? "tool_calls" : "stop";
}

type ChunkObject = "chat.completion.chunk" | "text_completion";

const chunkOf = ({ id, created, model }: ChunkHead, object: ChunkObject, choices: readonly unknown[], more: Fields = {}): string =>
  JSON.stringify({ id, object, created, model, choices, ...more });

/** Ends choices that the money did not last for. */
export const cutChunk = (head: ChunkHead, indexes: readonly number[], object: ChunkObject = "chat.completion.chunk"): string => {
  const nothing = object === "text_completion" ? { text: "", logprobs: null } : { delta: {} };
  return chunkOf(
    head,
    object,
    indexes.map((index) => ({ index, ...nothing, finish_reason: "length" })),
  );
};

/** The last chunk before [DONE]. */
export const receiptChunk = (head: ChunkHead, receipt: Record<string, unknown>, object: ChunkObject = "chat.completion.chunk"): string =>
  chunkOf(head, object, [], { [RECEIPT_KEY]: receipt });
