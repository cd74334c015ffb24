import {
  address,
  amount,
  choice,
  flag,
  integer,
  invalidConfig,
  optional,
  privateKey,
  readSettings,
  secret,
  text,
  url,
  type Values,
} from "@clawcompute/lib/config/env";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";
import { type Address, zeroAddress } from "viem";
import type { BackendConfig } from "./backends/index.ts";
import type { OfferCaps } from "./caps.ts";
import { parseOffersFile } from "./offersFile.ts";

const seconds = (name: string, describe: string, fallback: string, max = 86_400) =>
  integer(name, { describe, fallback, unit: "s", min: 1, max });

export const settings = {
  ownerKey: optional(
    privateKey("PROVIDER_PRIVATE_KEY", { describe: "key of the provider's owner, where PRIVATE_KEY is another wallet's" }),
  ),
  ownerAddress: optional(
    address("PROVIDER_ADDRESS", { describe: "owner's address, where its key is kept elsewhere and SIGNER_PRIVATE_KEY is set" }),
  ),
  signerKey: optional(
    privateKey("SIGNER_PRIVATE_KEY", { describe: "hot key that signs receipts and settlements; by default the owner's" }),
  ),
  model: text("MODEL_NAME", { describe: "model as the registry lists it", fallback: "llama-3.3-70b-versatile", maxLength: 64 }),
  port: optional(
    integer("PROVIDER_PORT", { describe: "port to listen on; PORT is read where this is not set, else 3001", min: 0, max: 65_535 }),
  ),
  anyPort: optional(integer("PORT", { describe: "port to listen on, as hosting services set it", min: 0, max: 65_535 })),
  host: text("PROVIDER_HOST", { describe: "address to listen on", fallback: "0.0.0.0", maxLength: 255 }),
  endpoint: optional(url("ENDPOINT_URL", { describe: "public URL that the registry shows; by default http://localhost:<port>" })),
  pricePerSecond: amount("PRICE_PER_SECOND", { describe: "price of a second", fallback: "0.0001", unit: "coin per second" }),
  serviceType: integer("SERVICE_TYPE", { describe: "0 text, 1 image, 2 audio, 3 embedding", fallback: "0", min: 0, max: 3 }),
  backend: optional(
    choice("BACKEND", { describe: "engine; by default the one whose settings are there", of: ["llama", "openai", "groq", "echo"] }),
  ),
  groqKey: optional(secret("GROQ_API_KEY", { describe: "key of Groq's cloud, for BACKEND=groq" })),
  inferenceUrl: optional(url("INFERENCE_URL", { describe: "any OpenAI-compatible server, for BACKEND=openai" })),
  inferenceKey: optional(secret("INFERENCE_API_KEY", { describe: "its key" })),
  inferenceModel: optional(text("INFERENCE_MODEL", { describe: "what it calls the model; by default MODEL_NAME", maxLength: 200 })),
  ggufPath: optional(text("GGUF_PATH", { describe: "model file, for BACKEND=llama" })),
  llamaContextTokens: optional(
    integer("LLAMA_CONTEXT_TOKENS", {
      describe: "conversation and answer together, for BACKEND=llama; by default what the model was made for, at most 8192",
      unit: "tokens",
      min: 256,
      max: 10_000_000,
    }),
  ),
  llamaThreads: optional(
    integer("LLAMA_THREADS", { describe: "CPU threads of BACKEND=llama; 1 by default, never more than free cores", min: 1, max: 1_024 }),
  ),
  llamaGpu: choice("LLAMA_GPU", { describe: "whether BACKEND=llama uses the GPU", of: ["off", "auto"], fallback: "off" }),
  offersFile: optional(
    text("PROVIDER_OFFERS", { describe: "JSON file with several offers for one process, instead of MODEL_NAME and BACKEND" }),
  ),
  maxConcurrency: optional(
    integer("MAX_CONCURRENCY", { describe: "answers at once; by default 2 for llama, else 16", min: 1, max: 10_000 }),
  ),
  perStream: integer("MAX_PER_STREAM", { describe: "answers at once that one stream pays for", fallback: "4", min: 1, max: 1_000 }),
  queueLength: integer("QUEUE_LENGTH", { describe: "requests that may wait for a place", fallback: "8", min: 0, max: 10_000 }),
  queueSeconds: seconds("QUEUE_SECONDS", "how long they wait", "5", 600),
  contextTokens: optional(
    integer("MAX_CONTEXT_TOKENS", { describe: "longest prompt that is taken, estimated", unit: "tokens", min: 1, max: 100_000_000 }),
  ),
  outputTokens: optional(
    integer("MAX_OUTPUT_TOKENS", { describe: "longest answer; also where a request names none", unit: "tokens", min: 1, max: 100_000_000 }),
  ),
  promptTokensPerSecond: optional(
    integer("PROMPT_TOKENS_PER_SECOND", {
      describe: "how fast the engine reads; with it, a stream must cover the reading of a long prompt",
      unit: "tokens/s",
      min: 1,
      max: 100_000_000,
    }),
  ),
  pricePerToken: optional(
    amount("PRICE_CAP_PER_TOKEN", { describe: "most that a token read or written may cost, however long it takes", unit: "coin" }),
  ),
  requestsPerMinute: integer("PAYER_REQUESTS_PER_MINUTE", {
    describe: "requests of one payer; 0 for no limit",
    fallback: "3000",
    min: 0,
    max: 10_000_000,
  }),
  attemptsPerMinute: integer("IP_ATTEMPTS_PER_MINUTE", {
    describe: "worthless session proofs and tokens from one address; 0 for no limit",
    fallback: "120",
    min: 0,
    max: 10_000_000,
  }),
  trustedProxies: integer("TRUSTED_PROXIES", {
    describe: "proxies of your own in front, whose X-Forwarded-For is believed",
    fallback: "0",
    min: 0,
    max: 10,
  }),
  allowRemoteMedia: flag("ALLOW_REMOTE_MEDIA", {
    describe: "lets requests name pictures and files by URL, which the engine then fetches",
    fallback: "0",
  }),
  wholeSeconds: seconds("WHOLE_ANSWER_SECONDS", "how long images, sound and embeddings may take", "300", 3_600),
  unlistOnStop: flag("UNLIST_ON_STOP", { describe: "takes the offers off the market when the provider stops", fallback: "0" }),
  reloadFile: optional(
    text("PROVIDER_ENV_FILE", { describe: "env file whose prices are read again on SIGHUP; by default the ones it was started with" }),
  ),
  minRunwaySeconds: seconds("MIN_RUNWAY_SECONDS", "time that a stream must still cover before work begins", "2", 3_600),
  firstTokenSeconds: seconds("PROVIDER_FIRST_TOKEN_SECONDS", "how long the engine may take to its first token", "30", 3_600),
  stallSeconds: seconds("STALL_SECONDS", "how long the engine may be silent in an answer", "20", 3_600),
  staleSeconds: seconds("CHAIN_STALE_SECONDS", "time without a new block after which no work is accepted", "30"),
  blindSeconds: seconds("CHAIN_BLIND_SECONDS", "time without a new block after which running answers that streams pay for are cut", "60"),
  withdrawThreshold: amount("WITHDRAW_THRESHOLD", { describe: "least that is collected at once", fallback: "0.001", unit: "coin" }),
  voucherStepSeconds: seconds(
    "VOUCHER_STEP_SECONDS",
    "how far a channel's vouchers run ahead: the most that either side can lose",
    "1",
    60,
  ),
  claimAbove: amount("CHANNEL_CLAIM_ABOVE", {
    describe: "unclaimed vouchers of one channel that are not left to grow",
    fallback: "0.01",
    unit: "coin",
  }),
  channelIdleSeconds: seconds("CHANNEL_IDLE_SECONDS", "time without use after which a channel's vouchers are cashed", "3600", 2_592_000),
  upfrontSeconds: seconds("X402_SECONDS", "what one x402 payment covers; the rest is a balance", "30", 86_400),
  balanceIdleSeconds: seconds("BALANCE_IDLE_SECONDS", "time without use after which a balance's rest goes back", "86400", 31_536_000),
  demoSecondsPerDay: integer("DEMO_SECONDS_PER_DAY", {
    describe: "answers given away each day to whoever sends the API key demo; 0 for none",
    fallback: "0",
    unit: "s",
    min: 0,
    max: 86_400,
  }),
  demoRequestsPerMinute: integer("DEMO_REQUESTS_PER_MINUTE", {
    describe: "demo requests from one address",
    fallback: "6",
    min: 1,
    max: 1_000,
  }),
  withdrawSeconds: seconds("WITHDRAW_SECONDS", "how often income is collected", "60"),
  drainSeconds: seconds("DRAIN_SECONDS", "how long running answers may go on when the provider stops", "50"),
  databaseUrl: optional(
    url("DATABASE_URL", { describe: "PostgreSQL server, for several replicas", protocols: ["postgres:", "postgresql:"] }),
  ),
  dataDir: optional(text("DATA_DIR", { describe: "folder of the embedded database; by default ~/.clawcompute/provider-<port>" })),
  echoOnPublicChain: flag("ALLOW_ECHO_ON_PUBLIC_CHAIN", {
    describe: "lets an offer without a model be registered on a public chain",
    fallback: "0",
  }),
  logLevel: choice("LOG_LEVEL", {
    describe: "log level of the long-running programs",
    fallback: "info",
    of: ["trace", "debug", "info", "warn", "error", "silent"],
  }),
};

export interface OfferConfig {
  readonly model: string;
  readonly pricePerSecond: bigint;
  readonly serviceType: number;
  readonly asset: Address;
  /** Undefined: made from the port that is bound. */
  readonly endpoint: string | undefined;
  readonly maxConcurrency: number;
  readonly caps: OfferCaps;
  readonly backend: BackendConfig;
}

export interface ProviderConfig extends Values<typeof settings> {
  readonly network: Network;
  readonly listenPort: number;
  readonly offers: readonly OfferConfig[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Pure but for `readFile`, which reads PROVIDER_OFFERS. Throws CONFIG_INVALID naming the variable, or CONTRACT_MISSING. */
export function readConfig(env: Env, readFile: (path: string) => string): ProviderConfig {
  const values = readSettings(settings, env);
  const network = networkFromEnv(env);
  const offers = values.offersFile ? parseOffersFile(values.offersFile, readFile, env, capsOf(values)) : [offerOfEnv(values)];
  for (const offer of offers) {
    if (offer.backend.kind === "echo" && !network.isLocal && !values.echoOnPublicChain) {
      throw invalidConfig(
        "BACKEND",
        "echo has no model and is refused on a public chain",
        "Name a real engine, or set ALLOW_ECHO_ON_PUBLIC_CHAIN=1.",
      );
    }
  }
  return { ...values, network, listenPort: values.port ?? values.anyPort ?? 3001, offers };
}

/** What the operator's commands need: chain and wallet, no engine. Throws as `readConfig` does. */
export function readOperatorConfig(env: Env) {
  const values = readSettings(settings, env);
  return { ...values, network: networkFromEnv(env), listenPort: values.port ?? values.anyPort ?? 3001 };
}

export const concurrencyOf = (kind: BackendConfig["kind"], given: number | undefined): number => given ?? (kind === "llama" ? 2 : 16);

function offerOfEnv(values: Values<typeof settings>): OfferConfig {
  const { model, pricePerSecond, serviceType, endpoint } = values;
  if (pricePerSecond === 0n) throw invalidConfig("PRICE_PER_SECOND", "must be above zero");
  const kind = values.backend ?? (values.groqKey ? "groq" : values.inferenceUrl ? "openai" : values.ggufPath ? "llama" : "groq");
  const maxConcurrency = concurrencyOf(kind, values.maxConcurrency);
  const backend = backendOf(kind, { ...values, maxConcurrency });
  return { model, pricePerSecond, serviceType, asset: zeroAddress, endpoint, maxConcurrency, caps: capsOf(values), backend };
}

const capsOf = ({ contextTokens, outputTokens, promptTokensPerSecond, pricePerToken }: OfferCaps): OfferCaps => ({
  pricePerToken,
  contextTokens,
  outputTokens,
  promptTokensPerSecond,
});

export interface BackendFields {
  readonly model: string;
  readonly maxConcurrency: number;
  readonly groqKey: string | undefined;
  readonly inferenceUrl: string | undefined;
  readonly inferenceKey: string | undefined;
  readonly inferenceModel: string | undefined;
  readonly ggufPath: string | undefined;
  readonly llamaContextTokens: number | undefined;
  readonly llamaThreads: number | undefined;
  readonly llamaGpu: "off" | "auto";
}

/** Throws CONFIG_INVALID naming what the engine lacks. */
export function backendOf(kind: BackendConfig["kind"], fields: BackendFields): BackendConfig {
  const { model, maxConcurrency, groqKey, inferenceUrl, inferenceKey, inferenceModel, ggufPath } = fields;
  if (kind === "echo") return { kind };
  if (kind === "llama") {
    if (!ggufPath) throw invalidConfig("GGUF_PATH", "is required for BACKEND=llama", "Name a GGUF model file.");
    return {
      kind,
      ggufPath,
      slots: maxConcurrency,
      ...(fields.llamaContextTokens === undefined ? {} : { contextTokens: fields.llamaContextTokens }),
      ...(fields.llamaThreads === undefined ? {} : { threads: fields.llamaThreads }),
      ...(fields.llamaGpu === "auto" ? { gpu: fields.llamaGpu } : {}),
    };
  }
  if (kind === "openai") {
    if (!inferenceUrl)
      throw invalidConfig("INFERENCE_URL", "is required for BACKEND=openai", "Name the server, such as http://127.0.0.1:11434/v1.");
    const shared = { kind, baseUrl: inferenceUrl, model: inferenceModel ?? model };
    return inferenceKey ? { ...shared, apiKey: inferenceKey } : shared;
  }
  if (!groqKey) {
    throw invalidConfig(
      "GROQ_API_KEY",
      "is required for BACKEND=groq",
      "Put a key from console.groq.com there, or choose another engine: BACKEND=llama with GGUF_PATH, BACKEND=openai with INFERENCE_URL, or BACKEND=echo to try things out.",
    );
  }
  return { kind, apiKey: groqKey, model: inferenceModel ?? model };
}
