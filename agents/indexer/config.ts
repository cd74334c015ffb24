import { homedir } from "node:os";
import { join } from "node:path";
import { choice, flag, integer, optional, readSettings, text, url, type Values } from "@clawcompute/lib/config/env";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";

export const settings = {
  port: integer("INDEXER_PORT", { describe: "port of the indexer's API", fallback: "8790", min: 0, max: 65_535 }),
  host: text("INDEXER_HOST", { describe: "address that the indexer's API listens on", fallback: "127.0.0.1", maxLength: 255 }),
  databaseUrl: optional(
    url("DATABASE_URL", { describe: "PostgreSQL server, for several replicas", protocols: ["postgres:", "postgresql:"] }),
  ),
  dataDir: optional(
    text("INDEXER_DATA_DIR", {
      describe: "folder of the indexer's embedded database; by default ~/.clawcompute/indexer-<chain id>, in memory with INDEXER_PORT=0",
    }),
  ),
  readOnly: flag("INDEXER_READ_ONLY", { describe: "serves what others index and never writes, as on a read replica", fallback: "0" }),
  pollMs: optional(
    integer("INDEXER_POLL_MS", {
      describe: "wait between two looks at the chain; by default half a block",
      unit: "ms",
      min: 50,
      max: 60_000,
    }),
  ),
  maxLagBlocks: integer("INDEXER_MAX_LAG_BLOCKS", {
    describe: "blocks behind the chain with which the indexer still counts as ready",
    fallback: "30",
    unit: "blocks",
    min: 0,
    max: 1_000_000,
  }),
  corsOrigin: text("INDEXER_CORS_ORIGIN", { describe: "origin of pages that may read the API", fallback: "*" }),
  probeSeconds: integer("INDEXER_PROBE_SECONDS", {
    describe: "how often the endpoint of an active offer is probed; 0 = never",
    fallback: "60",
    unit: "s",
    min: 0,
    max: 86_400,
  }),
  probesPerSecond: integer("INDEXER_PROBES_PER_SECOND", { describe: "most probes in a second", fallback: "5", min: 1, max: 1_000 }),
  allowPrivateEndpoints: optional(
    flag("ALLOW_PRIVATE_ENDPOINTS", { describe: "lets providers be at private addresses; by default on the local network only" }),
  ),
  logLevel: choice("LOG_LEVEL", {
    describe: "log level of the long-running programs",
    fallback: "info",
    of: ["trace", "debug", "info", "warn", "error", "silent"],
  }),
};

export interface IndexerConfig extends Values<typeof settings> {
  readonly network: Network;
  readonly allowPrivate: boolean;
  /** Undefined: in memory, or DATABASE_URL is set. */
  readonly folder: string | undefined;
}

/** Throws CONFIG_INVALID naming the variable, or CONTRACT_MISSING. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): IndexerConfig {
  const values = readSettings(settings, env);
  const network = networkFromEnv(env);
  const allowPrivate = values.allowPrivateEndpoints ?? network.isLocal;
  const byDefault = values.port === 0 ? undefined : join(homedir(), ".clawcompute", `indexer-${network.chainId}`);
  return { ...values, network, allowPrivate, folder: values.databaseUrl ? undefined : (values.dataDir ?? byDefault) };
}
