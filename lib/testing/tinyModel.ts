import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../errors/index.ts";
import { type GgufMeta, type GgufTensor, ggufBytes } from "./ggufFile.ts";

/**
 * What a tiny model says and how large it is. Tokens a second written (and read), one thread of node-llama-cpp, idle 2-core machine:
 * default size (0.5 MB) 2,100 (80,000); 256 wide, 4 layers, ffn 512 (11 MB) 2,400 (11,000); 512 wide, 8 layers, 8 heads, ffn 1408
 * (104 MB) 270 (1,500); 1024 wide, 8 layers, 16 heads, ffn 2816 (414 MB) about 16 on a busy machine.
 */
export interface TinyModelOptions {
  /** The sentence that greedy decoding answers with, whatever is asked. Its words must differ from each other. */
  readonly say?: string;
  /** Says the sentence over and over, until it is stopped or the context is full. */
  readonly cycle?: boolean;
  /** Width of the residual stream; a multiple of 2 × heads. */
  readonly embd?: number;
  readonly layers?: number;
  readonly heads?: number;
  /** Width of the feed-forward layers. */
  readonly ffn?: number;
  /** Context length in tokens that the file announces. Prompts cost about one token per character. */
  readonly ctx?: number;
  readonly seed?: number;
}

/** The models of the local network: the sentence each of them answers with is known, so that an answer can be checked. */
export const tinyModels = {
  "claw-tiny-1": {
    say: "Every second of this answer was computed by a small real transformer and paid straight from your wallet while you watched.",
    ctx: 8192,
    seed: 1,
  },
  "claw-tiny-2": {
    say: "Providers compete on price so inference gets cheaper, streams end exactly when work stops, and unused money always returns to its owner.",
    ctx: 8192,
    seed: 2,
  },
} as const satisfies Record<string, TinyModelOptions>;
export type TinyModelName = keyof typeof tinyModels;

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const BYTE = 6;
const END_OF_TEXT = 2;
const SPACE = "\u2581";
const TEMPLATE =
  "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

/**
 * A genuine llama-architecture model with random weights, as the bytes of a GGUF file. With `say`, the read-out matrix is a chain
 * of bigrams: the residual stream stays dominated by the current token's embedding (all other weights are small), and the read-out
 * maps each word's embedding to the next word. Without it the output is seeded noise. The same options give the same bytes.
 */
export function tinyGguf(options: TinyModelOptions = {}): Buffer {
  const { say = "", cycle = false, embd = 64, layers = 2, heads = 4, ffn = 128, ctx = 2048, seed = 1 } = options;
  const random = gaussian(seed);
  const noise = (count: number, scale: number) => Float32Array.from({ length: count }, () => random() * scale);
  const { pieces, chain } = vocabulary(say, cycle);
  const codes = noise(pieces.length * embd, 1);
  const readout = chain.length > 0 ? chainReadout(codes, chain, { embd, cycle, start: noise(embd, 2) }) : noise(codes.length, 0.5);

  const tensors: GgufTensor[] = [
    { name: "token_embd.weight", shape: [embd, pieces.length], values: codes },
    { name: "output_norm.weight", shape: [embd], values: ones(embd) },
    { name: "output.weight", shape: [embd, pieces.length], values: readout },
  ];
  const scale = chain.length > 0 ? 0.02 : 0.5;
  for (let layer = 0; layer < layers; layer++) {
    const add = (name: string, shape: number[], values: Float32Array) =>
      tensors.push({ name: `blk.${layer}.${name}.weight`, shape, values });
    const wide = (name: string, from: number, to: number) => add(name, [from, to], noise(from * to, scale / Math.sqrt(from)));
    add("attn_norm", [embd], ones(embd));
    for (const name of ["attn_q", "attn_k", "attn_v", "attn_output"]) wide(name, embd, embd);
    add("ffn_norm", [embd], ones(embd));
    wide("ffn_gate", embd, ffn);
    wide("ffn_up", embd, ffn);
    wide("ffn_down", ffn, embd);
  }
  return ggufBytes(metadata(pieces, { embd, layers, heads, ffn, ctx }), tensors);
}

/** Writes a tiny model; the file appears whole or not at all. Returns its size in bytes. */
export async function writeTinyModel(path: string, options: TinyModelOptions | TinyModelName): Promise<number> {
  const bytes = tinyGguf(typeof options === "string" ? tinyModels[options] : options);
  const partial = `${path}.${process.pid}.partial`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(partial, bytes);
  await rename(partial, path);
  return bytes.length;
}

interface Piece {
  readonly text: string;
  readonly type: number;
}

/**
 * SentencePiece's order: specials, byte fallbacks, single characters, then the words of the sentence, whose ids are the chain.
 * The first word has no space before it; a cycle ends with the first word once more, with a space.
 */
function vocabulary(say: string, cycle: boolean): { pieces: Piece[]; chain: number[] } {
  const pieces: Piece[] = [
    { text: "<unk>", type: UNKNOWN },
    { text: "<s>", type: CONTROL },
    { text: "</s>", type: CONTROL },
  ];
  for (let byte = 0; byte < 256; byte++) pieces.push({ text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, type: BYTE });
  const characters = [SPACE, ...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))];
  for (const text of characters) pieces.push({ text, type: NORMAL });

  const words = say.split(/\s+/).filter(Boolean);
  if (new Set(words).size !== words.length)
    throw new AppError("BAD_REQUEST", "say: its words must differ from each other, or the sentence would loop.", { param: "say" });
  if (cycle && words.length < 2) throw new AppError("BAD_REQUEST", "say: a cycle needs two words or more.", { param: "say" });
  const texts = words.map((word, index) => (index === 0 ? word : `${SPACE}${word}`));
  if (cycle) texts.push(`${SPACE}${words[0]}`);
  const chain = texts.map((text) => {
    if (characters.includes(text))
      throw new AppError("BAD_REQUEST", "say: its first word must be longer than one character.", { param: "say" });
    return pieces.push({ text, type: NORMAL }) - 1;
  });
  return { pieces, chain };
}

/** Changes `codes` so that every token outside the chain carries a common direction, which reads out as the first word. */
function chainReadout(codes: Float32Array, chain: readonly number[], how: { embd: number; cycle: boolean; start: Float32Array }) {
  const { embd, cycle, start } = how;
  const readout = new Float32Array(codes.length);
  const at = (values: Float32Array, token: number) => values.subarray(token * embd, (token + 1) * embd);
  const inChain = new Set(chain);
  for (let token = 0; token < codes.length / embd; token++)
    if (!inChain.has(token))
      at(codes, token).forEach((value, i, row) => {
        row[i] = value * 0.3 + (start[i] ?? 0);
      });
  const link = (from: Float32Array, to: number) => {
    const row = at(readout, to);
    from.forEach((value, i) => {
      row[i] = (row[i] ?? 0) + value;
    });
  };
  const [first = END_OF_TEXT, second = END_OF_TEXT] = chain;
  link(start, first);
  chain.forEach((token, index) => {
    link(at(codes, token), chain[index + 1] ?? (cycle ? second : END_OF_TEXT));
  });
  return readout;
}

type Shape = Required<Pick<TinyModelOptions, "embd" | "layers" | "heads" | "ffn" | "ctx">>;

function metadata(pieces: readonly Piece[], { embd, layers, heads, ffn, ctx }: Shape): GgufMeta[] {
  return [
    { key: "general.architecture", type: "text", value: "llama" },
    { key: "general.name", type: "text", value: "tiny" },
    { key: "general.file_type", type: "u32", value: 0 },
    { key: "llama.context_length", type: "u32", value: ctx },
    { key: "llama.embedding_length", type: "u32", value: embd },
    { key: "llama.block_count", type: "u32", value: layers },
    { key: "llama.feed_forward_length", type: "u32", value: ffn },
    { key: "llama.rope.dimension_count", type: "u32", value: embd / heads },
    { key: "llama.attention.head_count", type: "u32", value: heads },
    { key: "llama.attention.head_count_kv", type: "u32", value: heads },
    { key: "llama.attention.layer_norm_rms_epsilon", type: "f32", value: 1e-5 },
    { key: "llama.vocab_size", type: "u32", value: pieces.length },
    { key: "tokenizer.ggml.model", type: "text", value: "llama" },
    { key: "tokenizer.ggml.tokens", type: "text", value: pieces.map(({ text }) => text) },
    { key: "tokenizer.ggml.scores", type: "f32", value: pieces.map((_, index) => -index) },
    { key: "tokenizer.ggml.token_type", type: "i32", value: pieces.map(({ type }) => type) },
    { key: "tokenizer.ggml.bos_token_id", type: "u32", value: 1 },
    { key: "tokenizer.ggml.eos_token_id", type: "u32", value: END_OF_TEXT },
    { key: "tokenizer.ggml.unknown_token_id", type: "u32", value: 0 },
    { key: "tokenizer.ggml.add_bos_token", type: "bool", value: true },
    { key: "tokenizer.ggml.add_space_prefix", type: "bool", value: false },
    { key: "tokenizer.chat_template", type: "text", value: TEMPLATE },
  ];
}

const ones = (count: number) => new Float32Array(count).fill(1);

/** Seeded normal numbers: mulberry32, then Box-Muller. */
function gaussian(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
}
