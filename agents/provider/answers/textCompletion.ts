import type { ChunkHead } from "../chunks.ts";

type Fields = Record<string, unknown>;

/** Puts the chunks of `POST /v1/completions` together again. */
export function createTextCompletion() {
  const choices = new Map<number, { text: string; finish: string | null; logprobs: Record<string, unknown[]> | undefined }>();
  let usage: unknown;

  function addChoice(part: Fields): void {
    const index = typeof part.index === "number" ? part.index : 0;
    const choice = choices.get(index) ?? { text: "", finish: null, logprobs: undefined };
    choices.set(index, choice);
    if (typeof part.text === "string") choice.text += part.text;
    if (typeof part.finish_reason === "string") choice.finish = part.finish_reason;
    for (const [key, value] of Object.entries((part.logprobs ?? {}) as Fields)) {
      if (!Array.isArray(value)) continue;
      choice.logprobs ??= {};
      choice.logprobs[key] = [...(choice.logprobs[key] ?? []), ...value];
    }
  }

  return {
    add: (data: string): void => {
      const chunk = JSON.parse(data) as Fields;
      if (chunk.usage) usage = chunk.usage;
      for (const part of (chunk.choices ?? []) as Fields[]) addChoice(part);
    },
    body: ({ id, created, model }: ChunkHead): Fields => ({
      id,
      object: "text_completion",
      created,
      model,
      choices: [...choices.entries()]
        .sort(([a], [b]) => a - b)
        .map(([index, { text, logprobs, finish }]) => ({ index, text, logprobs: logprobs ?? null, finish_reason: finish })),
      ...(usage === undefined ? {} : { usage }),
    }),
    text: (): string => choices.get(0)?.text ?? "",
  };
}
