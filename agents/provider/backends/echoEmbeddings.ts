import { createHash } from "node:crypto";
import { type Embeddings, type EmbeddingsRequest, textsOf } from "./modalities.ts";

const DIMENSIONS = 64;

/** Each word adds a direction of its own, so that texts with the same words point the same way. Length 1; no words: zeros. */
export function echoEmbeddings({ input, dimensions }: EmbeddingsRequest): Embeddings {
  const size = dimensions ?? DIMENSIONS;
  const texts = textsOf(input);
  const vectors = texts.map((text) => unit(wordsOf(text).reduce((sum, word) => add(sum, word), new Array<number>(size).fill(0))));
  return { vectors, promptTokens: texts.reduce((sum, text) => sum + wordsOf(text).length, 0) };
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function add(vector: number[], word: string): number[] {
  const digest = createHash("sha256").update(word).digest();
  return vector.map((value, index) => {
    const bit = index % 256;
    return value + (((digest[bit >> 3] ?? 0) >> (bit & 7)) & 1 ? 1 : -1);
  });
}

function unit(vector: readonly number[]): readonly number[] {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
