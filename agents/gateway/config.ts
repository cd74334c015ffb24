import { amount, choice, flag, integer, optional, readSettings, type Values } from "@clawcompute/lib/config/env";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";

export const settings = {
  maxDeposit: amount("MAX_DEPOSIT", {
    describe: "most that one request may lock up, unless --max-spend says otherwise",
    fallback: "0.01",
    unit: "coin",
  }),
  maxPrice: optional(amount("MAX_PRICE", { describe: "dearest offer that is considered", unit: "coin per second" })),
  depositSeconds: integer("DEPOSIT_SECONDS", { describe: "time that a deposit covers", fallback: "60", unit: "s", min: 1, max: 86_400 }),
  firstTokenSeconds: integer("FIRST_TOKEN_SECONDS", {
    describe: "how long a provider may take to its first token",
    fallback: "30",
    unit: "s",
    min: 1,
    max: 600,
  }),
  lookBackSeconds: integer("STREAM_LOOKBACK_SECONDS", {
    describe: "how far back forgotten streams are looked for on public chains",
    fallback: "86400",
    unit: "s",
    min: 60,
    max: 31_536_000,
  }),
  allowPrivateEndpoints: optional(
    flag("ALLOW_PRIVATE_ENDPOINTS", { describe: "lets providers be at private addresses; by default on the local network only" }),
  ),
  logLevel: choice("CLAW_LOG_LEVEL", {
    describe: "log level of the claw commands",
    fallback: "warn",
    of: ["trace", "debug", "info", "warn", "error", "silent"],
  }),
};

export interface GatewayConfig extends Values<typeof settings> {
  readonly network: Network;
  readonly allowPrivate: boolean;
}

/** Throws CONFIG_INVALID naming the variable, or CONTRACT_MISSING. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const values = readSettings(settings, env);
  const network = networkFromEnv(env);
  return { ...values, network, allowPrivate: values.allowPrivateEndpoints ?? network.isLocal };
}
