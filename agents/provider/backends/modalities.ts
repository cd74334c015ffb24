import { z } from "zod";

/** What is read of the requests beside chat; every other field passes through to the model untouched. */
const model = z.string().min(1).max(256);

export const completionRequest = z.looseObject({
  model,
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(128)]),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  n: z.int().min(1).max(16).nullish(),
});
export type CompletionRequest = z.infer<typeof completionRequest>;

export const embeddingsRequest = z.looseObject({
  model,
  input: z.union([
    z.string(),
    z.array(z.string()).min(1).max(2048),
    z.array(z.int()).min(1),
    z.array(z.array(z.int()).min(1)).min(1).max(2048),
  ]),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().positive().max(65_536).nullish(),
});
export type EmbeddingsRequest = z.infer<typeof embeddingsRequest>;

export interface Embeddings {
  /** One for each input, in order. */
  readonly vectors: readonly (readonly number[])[];
  readonly promptTokens: number;
}

/** Inputs of token numbers are read as words. */
export function textsOf(input: EmbeddingsRequest["input"]): readonly string[] {
  if (typeof input === "string") return [input];
  if (typeof input[0] === "number") return [input.join(" ")];
  return (input as (string | number[])[]).map((item) => (typeof item === "string" ? item : item.join(" ")));
}

/** The body of `POST /v1/embeddings`: numbers, or base64 of little-endian float32, which OpenAI's SDK asks for by default. */
export function embeddingsBody({ model, encoding_format }: EmbeddingsRequest, { vectors, promptTokens }: Embeddings): object {
  const encode = (vector: readonly number[]) => (encoding_format === "base64" ? float32Base64(vector) : vector);
  return {
    object: "list",
    data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })),
    model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
}

function float32Base64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4);
  });
  return bytes.toString("base64");
}

export const imagesRequest = z.looseObject({ model, prompt: z.string().min(1).max(32_000), n: z.int().min(1).max(10).nullish() });
export type ImagesRequest = z.infer<typeof imagesRequest>;

export const speechRequest = z.looseObject({ model, input: z.string().min(1).max(100_000), voice: z.unknown() });
export type SpeechRequest = z.infer<typeof speechRequest>;

export const responsesRequest = z.looseObject({ model, input: z.unknown(), stream: z.boolean().nullish() });
export type ResponsesRequest = z.infer<typeof responsesRequest>;

/** An answer that is neither chunks nor ours to read: sound, subtitles, plain text. */
export interface Media {
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}
