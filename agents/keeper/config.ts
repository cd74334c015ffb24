import { homedir } from "node:os";
import { join } from "node:path";
import { amount, choice, flag, integer, list, optional, privateKey, readSettings, text, url } from "@clawcompute/lib/config/env";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";
import type { Address } from "viem";
import { nativeOnly } from "./plan.ts";
import type { Caps } from "./records.ts";
import { type TokenPrice, tokenPrice, worthOf } from "./worth.ts";

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
    describe: "most streams in one transaction; the block's gas limit may allow fewer",
    fallback: "500",
    unit: "streams",
    min: 1,
    max: 500,
  }),
  minProfit: amount("KEEPER_MIN_PROFIT", { describe: "least profit, after gas, for which a batch is sent", fallback: "0", unit: "coin" }),
  completeAtLoss: flag("KEEPER_COMPLETE_AT_LOSS", {
    describe: "completes ended streams even where the reward does not pay the gas",
    fallback: "0",
  }),
  maxLoss: amount("KEEPER_MAX_LOSS", { describe: "most that one such batch may lose", fallback: "0.001", unit: "coin" }),
  gasPerHour: amount("KEEPER_MAX_GAS_HOUR", { describe: "most gas paid in any hour", fallback: "0.1", unit: "coin" }),
  gasPerDay: amount("KEEPER_MAX_GAS_DAY", { describe: "most gas paid in any day", fallback: "1", unit: "coin" }),
  lossPerDay: amount("KEEPER_MAX_LOSS_DAY", {
    describe: "most lost in any day by batches that earned less than their gas",
    fallback: "0.05",
    unit: "coin",
  }),
  tokenPrices: optional(
    list(
      tokenPrice("KEEPER_TOKEN_PRICES", {
        describe:
          "what tokens are worth, as ADDRESS=COINS or ADDRESS/DECIMALS=COINS a token, several with commas; rewards in other tokens count as nothing",
      }),
    ),
  ),
  indexerUrl: optional(
    url("INDEXER_URL", { describe: "indexer that finds the streams; without it, or when it cannot be used, the chain's events do" }),
  ),
  maxLag: integer("KEEPER_MAX_LAG_BLOCKS", {
    describe: "blocks behind the chain with which the indexer is still asked",
    fallback: "20",
    unit: "blocks",
    min: 0,
    max: 100_000,
  }),
  dataDir: optional(
    text("KEEPER_DATA_DIR", {
      describe:
        "folder that remembers over restarts what was spent, sent and read; each keeper needs its own; by default ~/.clawcompute/keeper-<chain id>, on the local network none",
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
  readonly worth: (asset: Address, reward: bigint) => bigint;
  /** Assets whose rewards count. */
  readonly tokens: readonly Address[];
  readonly caps: Caps;
  readonly indexerUrl: string | undefined;
  readonly maxLag: number;
  /** Undefined: nothing is remembered. */
  readonly folder: string | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: string;
}

/** Throws CONFIG_INVALID naming the variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): KeeperConfig {
  const values = readSettings(settings, env);
  const { key, everySeconds, maxBatch, minProfit, completeAtLoss, maxLoss, metricsPort, metricsHost, logLevel } = values;
  const prices = new Map<Address, TokenPrice>(values.tokenPrices?.map((price) => [price.token, price]));
  const network = networkFromEnv(env);
  return {
    network,
    key,
    everyMs: everySeconds * 1000,
    maxBatch,
    minProfitWei: minProfit,
    completeAtLoss,
    maxLossWei: maxLoss,
    worth: prices.size === 0 ? nativeOnly : worthOf(prices),
    tokens: [...prices.keys()],
    caps: { gasPerHourWei: values.gasPerHour, gasPerDayWei: values.gasPerDay, lossPerDayWei: values.lossPerDay },
    indexerUrl: values.indexerUrl,
    maxLag: values.maxLag,
    folder: folderOf(network, values.dataDir),
    metrics: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
    logLevel,
  };
}

/** Where a keeper's files are. */
export function folderOf(network: Network, dataDir: string | undefined): string | undefined {
  return dataDir ?? (network.isLocal ? undefined : join(homedir(), ".clawcompute", `keeper-${network.chainId}`));
}
