import { invalidConfig } from "@clawcompute/lib/config/env";
import { parseAmount } from "@clawcompute/lib/money";
import { checkShape } from "@clawcompute/lib/node";
import { type Address, zeroAddress } from "viem";
import { z } from "zod";
import type { OfferCaps } from "./caps.ts";
import { backendOf, concurrencyOf, type OfferConfig } from "./config.ts";

/** One entry of PROVIDER_OFFERS. Keys stay in the environment: `apiKeyEnv` names the variable. */
const offer = z.strictObject({
  model: z.string().min(1).max(64),
  /** In coins (or tokens with `decimals`), such as "0.0001". */
  pricePerSecond: z.string(),
  decimals: z.int().min(0).max(36).default(18),
  asset: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address")
    .default(zeroAddress),
  serviceType: z.int().min(0).max(3).default(0),
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  maxConcurrency: z.int().min(1).max(10_000).optional(),
  contextTokens: z.int().min(1).optional(),
  outputTokens: z.int().min(1).optional(),
  promptTokensPerSecond: z.int().min(1).optional(),
  /** As the price. */
  priceCapPerToken: z.string().optional(),
  backend: z.enum(["llama", "openai", "groq", "echo"]),
  inferenceUrl: z.url({ protocol: /^https?$/ }).optional(),
  inferenceModel: z.string().max(200).optional(),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, "must name an environment variable")
    .optional(),
  ggufPath: z.string().optional(),
  /** The embedded engine's own, as LLAMA_CONTEXT_TOKENS, LLAMA_THREADS and LLAMA_GPU. */
  engineContextTokens: z.int().min(256).optional(),
  threads: z.int().min(1).max(1_024).optional(),
  gpu: z.enum(["off", "auto"]).default("off"),
});
const offersShape = z.array(offer).min(1, "needs at least one offer").max(100);

type Env = Readonly<Record<string, string | undefined>>;

/** Throws CONFIG_INVALID naming the entry and field. `caps` are those of offers that name none. */
export function parseOffersFile(path: string, readFile: (path: string) => string, env: Env, caps: OfferCaps): readonly OfferConfig[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFile(path));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw invalidConfig("PROVIDER_OFFERS", code ? `cannot read ${path} (${code})` : `${path} is not JSON`);
  }
  return checkShape(offersShape, parsed, "CONFIG_INVALID").map((entry, index): OfferConfig => {
    const { model, decimals, asset, serviceType, endpoint, backend: kind } = entry;
    const maxConcurrency = concurrencyOf(kind, entry.maxConcurrency);
    const key = entry.apiKeyEnv === undefined ? undefined : env[entry.apiKeyEnv]?.trim();
    if (entry.apiKeyEnv !== undefined && !key) throw invalidConfig(entry.apiKeyEnv, `is required by entry ${index} of PROVIDER_OFFERS`);
    const backend = backendOf(kind, {
      model,
      maxConcurrency,
      groqKey: key ?? env.GROQ_API_KEY?.trim(),
      inferenceUrl: entry.inferenceUrl,
      inferenceKey: key,
      inferenceModel: entry.inferenceModel,
      ggufPath: entry.ggufPath,
      llamaContextTokens: entry.engineContextTokens,
      llamaThreads: entry.threads,
      llamaGpu: entry.gpu,
    });
    return {
      model,
      pricePerSecond: priceOf(entry.pricePerSecond, decimals, index),
      asset: asset as Address,
      serviceType,
      endpoint,
      maxConcurrency,
      caps: {
        contextTokens: entry.contextTokens ?? caps.contextTokens,
        outputTokens: entry.outputTokens ?? caps.outputTokens,
        promptTokensPerSecond: entry.promptTokensPerSecond ?? caps.promptTokensPerSecond,
        pricePerToken: entry.priceCapPerToken === undefined ? caps.pricePerToken : parseAmount(entry.priceCapPerToken, decimals),
      },
      backend,
    };
  });
}

function priceOf(given: string, decimals: number, index: number): bigint {
  const field = `PROVIDER_OFFERS: ${index}.pricePerSecond`;
  try {
    const price = parseAmount(given, decimals, "pricePerSecond");
    if (price > 0n) return price;
  } catch {
    throw invalidConfig(field, 'must be a decimal amount such as "0.0001"');
  }
  throw invalidConfig(field, "must be above zero");
}
