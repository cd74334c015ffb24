import { AppError } from "@clawcompute/lib/errors";
import { coveredMsDown } from "@clawcompute/lib/money";
import type { Work } from "./answers/work.ts";

/** What an offer takes on for one answer. Undefined: the engine's own limit is the limit. */
export interface OfferCaps {
  readonly contextTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  /** How fast the engine reads; with it, a long prompt needs a runway that covers the reading of it. */
  readonly promptTokensPerSecond?: number | undefined;
  /** Raw units: an answer costs no more than this for each token that it read and wrote, however long it took. */
  readonly pricePerToken?: bigint | undefined;
}

/** How much of its time an answer may be charged for; unlimited without a cap, or where units are no tokens. */
export function mostPayableMs({ pricePerToken }: OfferCaps, work: Pick<Work, "inTokens" | "units">, ratePerSecond: bigint): number {
  if (pricePerToken === undefined || !work.inTokens) return Number.POSITIVE_INFINITY;
  const { unitsIn, unitsOut } = work.units();
  return coveredMsDown(pricePerToken * BigInt(unitsIn + unitsOut), ratePerSecond);
}

/** What a request asks for. */
export interface Asked {
  /** Messages, prompt or input: whatever the engine must read. */
  readonly prompt: unknown;
  /** Texts that are read one by one, such as the inputs of embeddings, count one by one. */
  readonly apart?: boolean;
  /** Name of the field that is too long. */
  readonly promptField: string;
  readonly outputTokens?: number | null | undefined;
  readonly outputField?: string;
}

/** Bytes of a token in most languages; engines count exactly and refuse what this lets through. */
const BYTES_PER_TOKEN = 4;

/** Text in a request, about as many tokens as a model makes of it. Pictures and sound inside are not counted. */
export function estimateTokens(value: unknown): number {
  if (typeof value === "string") return /^data:/i.test(value) ? 0 : Math.ceil(Buffer.byteLength(value) / BYTES_PER_TOKEN);
  if (typeof value === "number") return 1;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + estimateTokens(part), 0);
}

/** Throws CONTEXT_TOO_LONG or OUTPUT_CAP_TOO_HIGH. Returns how long the engine will read before its first word, in ms. */
export function assertCaps({ contextTokens, outputTokens, promptTokensPerSecond }: OfferCaps, asked: Asked): { readingMs: number } {
  if (outputTokens !== undefined && (asked.outputTokens ?? 0) > outputTokens) {
    throw new AppError("OUTPUT_CAP_TOO_HIGH", `This offer answers with at most ${outputTokens} tokens.`, {
      ...(asked.outputField === undefined ? {} : { param: asked.outputField }),
      facts: { outputTokens, asked: asked.outputTokens ?? null },
      hint: `Ask for at most ${outputTokens} tokens, or leave the field out.`,
    });
  }
  if (contextTokens === undefined && promptTokensPerSecond === undefined) return { readingMs: 0 };
  const texts = asked.apart && Array.isArray(asked.prompt) && typeof asked.prompt[0] !== "number" ? asked.prompt : [asked.prompt];
  const each = texts.map(estimateTokens);
  const longest = each.reduce((most, tokens) => Math.max(most, tokens), 0);
  if (contextTokens !== undefined && longest > contextTokens) {
    throw new AppError("CONTEXT_TOO_LONG", `This offer reads at most ${contextTokens} tokens; these are about ${longest}.`, {
      param: asked.promptField,
      facts: { contextTokens, estimatedTokens: longest },
    });
  }
  const total = each.reduce((sum, tokens) => sum + tokens, 0);
  return { readingMs: promptTokensPerSecond === undefined ? 0 : Math.ceil((total * 1000) / promptTokensPerSecond) };
}
