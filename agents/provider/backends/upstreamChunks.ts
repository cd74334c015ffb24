import { AppError } from "@clawcompute/lib/errors";
import { midAnswerError } from "./upstreamError.ts";

/**
 * Evens out what servers do differently with `chat.completion.chunk` events: null deltas and choices, empty chunks, usage sent several
 * times or beside text or in Groq's own field, a model name that is the operator's own business, errors in the middle.
 */
export interface UpstreamChunks {
  /** The event to pass on, if any. Throws what midAnswerError makes of an error event, UPSTREAM_FAILED for what is no event. */
  take(event: string): string | undefined;
  /** The same for an event that was parsed already. */
  takeParsed(value: unknown, text?: string): string | undefined;
  /** The usage chunk, once the answer has ended well. */
  usage(): string | undefined;
  /** True when every answer of this request has its finish_reason. */
  finished(): boolean;
}

type Json = Record<string, unknown>;

export interface UpstreamChunkOptions {
  /** The offer's model. */
  readonly model: string;
  readonly object?: "chat.completion.chunk" | "text_completion";
  readonly secret?: string | undefined;
}

export function createUpstreamChunks({ model, object = "chat.completion.chunk", secret }: UpstreamChunkOptions): UpstreamChunks {
  let usage: Json | undefined;
  let last: Json = {};
  const open = new Set<number>();
  let anyFinished = false;

  function takeParsed(value: unknown, text?: string): string | undefined {
    if (!isObject(value)) throw unreadable();
    if (value.error !== undefined && value.error !== null) throw midAnswerError(value, secret);
    if (value.choices != null && !(Array.isArray(value.choices) && value.choices.every(isObject))) throw unreadable();
    const choices: Json[] = value.choices ?? [];
    let changed = value.model !== model || text === undefined;

    const own = isObject(value.usage)
      ? value.usage
      : isObject(value.x_groq) && isObject(value.x_groq.usage)
        ? value.x_groq.usage
        : undefined;
    if (own) usage = own;
    if (choices.length === 0) {
      last = value;
      return undefined;
    }
    if (own) changed = true;
    for (const choice of choices) {
      const index = typeof choice.index === "number" ? choice.index : 0;
      if (choice.finish_reason == null) open.add(index);
      else {
        open.delete(index);
        anyFinished = true;
      }
      if (object === "text_completion" || isObject(choice.delta)) continue;
      choice.delta = {};
      changed = true;
    }
    last = value;
    if (!changed && text !== undefined) return text;
    const { usage: _usage, x_groq: _groq, ...rest } = value;
    return JSON.stringify({ ...rest, object, model });
  }

  return {
    takeParsed,
    take: (event) => {
      let value: unknown;
      try {
        value = JSON.parse(event);
      } catch {
        throw unreadable();
      }
      return takeParsed(value, event);
    },
    usage: () => {
      if (!usage) return undefined;
      const { id, created } = last;
      return JSON.stringify({ ...(id !== undefined && { id }), object, created, model, choices: [], usage });
    },
    finished: () => anyFinished && open.size === 0,
  };
}

/** A whole answer, from a server that does not stream, as the chunks it would have sent. */
export function chunksOfAnswer(answer: unknown): unknown[] {
  if (!isObject(answer)) throw unreadable();
  const { choices, usage, ...common } = answer;
  if (answer.error != null) return [answer];
  if (!Array.isArray(choices) || !choices.every(isObject)) throw unreadable();
  const parts = choices.map((choice) => {
    const { message, ...rest } = choice;
    const content = typeof choice.text === "string" ? {} : { delta: deltaOf(message) };
    return { ...common, choices: [{ ...rest, ...content, finish_reason: null }] };
  });
  const ends = choices.map(({ index, finish_reason, text }) => {
    const nothing = typeof text === "string" ? { text: "" } : { delta: {} };
    return { ...common, choices: [{ index: index ?? 0, ...nothing, finish_reason }] };
  });
  return [...parts, ...ends, { ...common, choices: [], usage }];
}

function deltaOf(message: unknown): Json {
  if (!isObject(message)) throw unreadable();
  const calls = Array.isArray(message.tool_calls) ? { tool_calls: message.tool_calls.map((call, index) => ({ index, ...call })) } : {};
  return { ...message, ...calls };
}

function unreadable(): AppError {
  return new AppError("UPSTREAM_FAILED", "The model behind this provider sent something that is no answer.");
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
