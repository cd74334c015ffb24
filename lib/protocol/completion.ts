/** What all chunks of an answer have in common. */
export interface ChunkHead {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
}

/** Puts the chunks of an answer together again, for callers who want it in one piece. */
export interface Completion {
  add(data: string): void;
  /** As a `chat.completion` object. */
  body(head: ChunkHead): Record<string, unknown>;
  /** The text of the first choice. */
  text(): string;
}

interface Choice {
  message: Record<string, unknown>;
  toolCalls: Record<string, unknown>[];
  logprobs: Record<string, unknown[]> | undefined;
  finish: string | null;
}

type Fields = Record<string, unknown>;

export function createCompletion(): Completion {
  const choices = new Map<number, Choice>();
  let usage: unknown;
  let fingerprint: unknown;

  const choiceAt = (index: number): Choice => {
    const known = choices.get(index);
    if (known) return known;
    const fresh: Choice = { message: { role: "assistant", content: null }, toolCalls: [], logprobs: undefined, finish: null };
    choices.set(index, fresh);
    return fresh;
  };

  function addChoice(part: Fields): void {
    const choice = choiceAt(typeof part.index === "number" ? part.index : 0);
    if (typeof part.finish_reason === "string") choice.finish = part.finish_reason;
    for (const [key, value] of Object.entries((part.delta ?? {}) as Fields)) {
      if (key === "tool_calls") mergeToolCalls(choice.toolCalls, value);
      else if (key === "role") choice.message.role = value ?? choice.message.role;
      else if (typeof value === "string") choice.message[key] = `${(choice.message[key] as string | null | undefined) ?? ""}${value}`;
      else if (value !== null && value !== undefined) choice.message[key] = value;
    }
    for (const [key, value] of Object.entries((part.logprobs ?? {}) as Fields)) {
      if (!Array.isArray(value)) continue;
      choice.logprobs ??= {};
      choice.logprobs[key] = [...(choice.logprobs[key] ?? []), ...value];
    }
  }

  return {
    add: (data) => {
      const chunk = JSON.parse(data) as Fields;
      if (chunk.usage) usage = chunk.usage;
      if (chunk.system_fingerprint) fingerprint = chunk.system_fingerprint;
      for (const part of (chunk.choices ?? []) as Fields[]) addChoice(part);
    },
    body: ({ id, created, model }) => ({
      id,
      object: "chat.completion",
      created,
      model,
      choices: [...choices.entries()]
        .sort(([a], [b]) => a - b)
        .map(([index, choice]) => ({
          index,
          message: { ...choice.message, ...(choice.toolCalls.length ? { tool_calls: choice.toolCalls.filter(Boolean) } : {}) },
          logprobs: choice.logprobs ?? null,
          finish_reason: choice.finish,
        })),
      ...(usage === undefined ? {} : { usage }),
      ...(fingerprint === undefined ? {} : { system_fingerprint: fingerprint }),
    }),
    text: () => String(choices.get(0)?.message.content ?? ""),
  };
}

/** Name and arguments of a call come in pieces, by its index. */
function mergeToolCalls(calls: Fields[], value: unknown): void {
  for (const part of (Array.isArray(value) ? value : []) as Fields[]) {
    const { index: at, function: called, ...rest } = part;
    const index = typeof at === "number" && at >= 0 && at < 1000 ? at : calls.length;
    calls[index] ??= { function: { name: "", arguments: "" } };
    const call = calls[index] as Fields;
    Object.assign(call, rest);
    const target = call.function as Record<string, string>;
    const { name, arguments: args } = (called ?? {}) as Fields;
    if (typeof name === "string") target.name = `${target.name ?? ""}${name}`;
    if (typeof args === "string") target.arguments = `${target.arguments ?? ""}${args}`;
  }
}
