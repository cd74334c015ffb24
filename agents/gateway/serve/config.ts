import { readFileSync } from "node:fs";
import {
  address,
  amount,
  choice,
  flag,
  integer,
  invalidConfig,
  list,
  optional,
  readSettings,
  secret,
  text,
  url,
  type Values,
} from "@clawcompute/lib/config/env";
import type { SpendLimits } from "../budget/budget.ts";
import { type ClientKey, parseClients } from "../budget/clients.ts";
import { type GatewayConfig, readConfig } from "../config.ts";

const limit = (name: string, describe: string, fallback: string) => amount(name, { describe, fallback, unit: "coin" });
const seconds = (name: string, describe: string, fallback: string, max: number, min = 1) =>
  integer(name, { describe, fallback, unit: "s", min, max });

/** Settings of `claw gateway`, beside those of `claw ask`. */
export const settings = {
  host: text("GATEWAY_HOST", {
    describe: "address that the gateway listens on; others than this machine's own need GATEWAY_TOKEN",
    fallback: "127.0.0.1",
  }),
  port: integer("GATEWAY_PORT", { describe: "port of the gateway", fallback: "8700", min: 0, max: 65_535 }),
  token: optional(secret("GATEWAY_TOKEN", { describe: "API key that every client must send" })),
  gatewayUrl: optional(
    url("GATEWAY_URL", { describe: "where claw spend, why and models find the gateway; by default GATEWAY_PORT on this machine" }),
  ),
  clientsFile: optional(
    text("GATEWAY_CLIENTS", { describe: "JSON file with an API key and limits for each client; then no one else is served" }),
  ),
  origins: optional(
    list(text("GATEWAY_ORIGINS", { describe: "web origins whose pages may use the gateway, separated by commas; * for all" })),
  ),
  perRequest: limit("MAX_PER_REQUEST", "most that one request may cost", "0.01"),
  perHour: limit("MAX_PER_HOUR", "most that may be spent or at stake in an hour, gas included", "0.05"),
  perDay: limit("MAX_PER_DAY", "the same in a day", "0.2"),
  total: limit("MAX_TOTAL", "the same for ever, as the gateway's store remembers", "2"),
  maxStreams: integer("MAX_STREAMS", { describe: "streams that may be open at once", fallback: "4", min: 1, max: 1_000 }),
  providers: optional(
    list(
      integer("ALLOWED_PROVIDERS", {
        describe: "ids of the only providers that may be paid, separated by commas",
        min: 1,
        max: 4_294_967_295,
      }),
    ),
  ),
  models: optional(list(text("ALLOWED_MODELS", { describe: "names of the only models that may be used, separated by commas" }))),
  payBy: choice("GATEWAY_PAY_BY", {
    describe: "channel: exact vouchers while requests run, streams where a provider takes none; stream: streams always",
    fallback: "channel",
    of: ["channel", "stream"],
  }),
  asset: optional(
    address("GATEWAY_ASSET", {
      describe: "token that is paid with instead of the coin, by channel; every limit and price here is then in its units",
    }),
  ),
  voucherStepMs: integer("VOUCHER_STEP_MS", {
    describe: "time that vouchers may be ahead of what was served: the most that a dishonest provider can take",
    fallback: "1000",
    unit: "ms",
    min: 100,
    max: 60_000,
  }),
  idleSeconds: seconds("STREAM_IDLE_SECONDS", "an unused stream is ended after this time; its clock runs on meanwhile", "30", 3_600),
  channelIdleSeconds: seconds(
    "GATEWAY_CHANNEL_IDLE_SECONDS",
    "an unused channel is closed after this time; it costs nothing, but holds the deposit",
    "300",
    86_400,
  ),
  minRunwaySeconds: seconds("GATEWAY_MIN_RUNWAY_SECONDS", "time that a stream must still cover before a request is sent", "5", 3_600),
  heartbeatSeconds: seconds("GATEWAY_HEARTBEAT_SECONDS", "silence after which a waiting client gets a sign of life", "5", 300),
  contextLength: integer("GATEWAY_CONTEXT_LENGTH", {
    describe: "context window announced for models that say nothing about theirs",
    fallback: "32768",
    unit: "tokens",
    min: 4_096,
    max: 10_000_000,
  }),
  dataDir: optional(text("GATEWAY_DATA_DIR", { describe: "folder of the gateway's store; by default ~/.clawcompute/gateway-<port>" })),
  databaseUrl: optional(secret("DATABASE_URL", { describe: "PostgreSQL server that replicas share, instead of a store of one's own" })),
  localUrl: optional(
    url("LOCAL_INFERENCE_URL", { describe: "own OpenAI-compatible server that is asked first, such as http://127.0.0.1:11434/v1" }),
  ),
  localKey: optional(secret("LOCAL_INFERENCE_KEY", { describe: "API key of that server" })),
  localPolicy: choice("LOCAL_POLICY", {
    describe: "first: own server where it has the model; race: the network beside it when it is slow; only: never the network",
    fallback: "first",
    of: ["first", "race", "only"],
  }),
  localSlots: integer("LOCAL_SLOTS", { describe: "requests that the own server takes at once", fallback: "2", min: 1, max: 1_000 }),
  localMaxGib: integer("LOCAL_MAX_GIB", {
    describe: "size of the largest model that is run on the own server",
    fallback: "8",
    unit: "GiB",
    min: 1,
    max: 10_000,
  }),
  localPrice: amount("LOCAL_PRICE_PER_SECOND", {
    describe: "what a second of the own server costs its owner; the network is asked where it is a fifth cheaper",
    fallback: "0",
    unit: "coin per second",
  }),
  localTimeoutSeconds: seconds("LOCAL_TIMEOUT_SECONDS", "time to the own server's first token before the network is asked", "300", 3_600),
  localRaceSeconds: seconds("LOCAL_RACE_SECONDS", "with race: time after which the network is asked beside it", "3", 300, 0),
  exitGuard: flag("GATEWAY_END_FORGOTTEN", { describe: "ends streams of the wallet that an earlier run left open", fallback: "1" }),
  gatewayLogLevel: choice("GATEWAY_LOG_LEVEL", {
    describe: "least level that is logged",
    fallback: "info",
    of: ["trace", "debug", "info", "warn", "error", "silent"],
  }),
};

export interface ServeConfig extends Values<typeof settings> {
  readonly buying: GatewayConfig;
  readonly limits: SpendLimits;
  readonly clients: readonly ClientKey[] | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Throws CONFIG_INVALID naming the variable. */
export function readServeConfig(env: Env, readFile: (path: string) => string = (path) => readFileSync(path, "utf8")): ServeConfig {
  const values = readSettings(settings, env);
  const { host, token, clientsFile, perRequest, perHour, perDay, total } = values;
  const clients = clientsFile === undefined ? undefined : parseClients(readOr(clientsFile, readFile));
  if (!isLoopback(host) && token === undefined && clients === undefined) {
    throw invalidConfig(
      "GATEWAY_TOKEN",
      `is required when listening on ${host}`,
      "Set GATEWAY_TOKEN or GATEWAY_CLIENTS, or listen on 127.0.0.1.",
    );
  }
  if (values.asset !== undefined && values.payBy === "stream") {
    throw invalidConfig("GATEWAY_PAY_BY", "must be channel where GATEWAY_ASSET is set", "The gateway pays tokens by channel only.");
  }
  if (token !== undefined && token.length < 16) throw invalidConfig("GATEWAY_TOKEN", "must have at least 16 characters");
  return { ...values, buying: readConfig(env), limits: { perRequest, perHour, perDay, total }, clients };
}

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

function readOr(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (cause) {
    throw invalidConfig("GATEWAY_CLIENTS", `cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
}
