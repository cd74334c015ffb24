import { amount, choice, flag, integer, optional, privateKey, readSettings, text } from "@clawcompute/lib/config/env";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";

export const settings = {
  key: optional(
    privateKey("KEEPER_PRIVATE_KEY", {
      describe: "key of the wallet that pays the gas and gets the rewards; default: the wallet of the claw commands",
    }),
  ),
  everySeconds: integer("KEEPER_EVERY_SECONDS", {
    describe: "wait between two looks at the streams",
    fallback: "30",
    unit: "s",
    min: 1,
    max: 86_400,
  }),
  maxBatch: integer("KEEPER_MAX_BATCH", {
    describe: "most streams in one transaction",
    fallback: "100",
    unit: "streams",
    min: 1,
    max: 100,
  }),
  minProfit: amount("KEEPER_MIN_PROFIT", { describe: "least profit, after gas, for which a batch is sent", fallback: "0", unit: "coin" }),
  completeAtLoss: flag("KEEPER_COMPLETE_AT_LOSS", {
    describe: "completes ended streams even where the reward does not pay the gas",
    fallback: "0",
  }),
  maxLoss: amount("KEEPER_MAX_LOSS", { describe: "most that one such batch may lose", fallback: "0.001", unit: "coin" }),
  stateFile: optional(
    text("KEEPER_STATE_FILE", {
      describe: "file that remembers the open streams over restarts; without it they are read from the chain again",
    }),
  ),
  metricsPort: optional(
    integer("KEEPER_METRICS_PORT", { describe: "port of /metrics and /health; without it neither is served", min: 0, max: 65_535 }),
  ),
  metricsHost: text("KEEPER_METRICS_HOST", { describe: "address that /metrics and /health listen on", fallback: "127.0.0.1" }),
  logLevel: choice("LOG_LEVEL", {
    describe: "least level that is logged",
    fallback: "info",
    of: ["trace", "debug", "info", "warn", "error", "silent"],
  }),
};

export interface KeeperConfig {
  readonly network: Network;
  readonly key: `0x${string}` | undefined;
  readonly everyMs: number;
  readonly maxBatch: number;
  readonly minProfitWei: bigint;
  readonly completeAtLoss: boolean;
  readonly maxLossWei: bigint;
  readonly stateFile: string | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: string;
}

/** Throws CONFIG_INVALID naming the variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): KeeperConfig {
  const { key, everySeconds, maxBatch, minProfit, completeAtLoss, maxLoss, stateFile, metricsPort, metricsHost, logLevel } = readSettings(
    settings,
    env,
  );
  return {
    network: networkFromEnv(env),
    key,
    everyMs: everySeconds * 1000,
    maxBatch,
    minProfitWei: minProfit,
    completeAtLoss,
    maxLossWei: maxLoss,
    stateFile,
    metrics: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
    logLevel,
  };
}
