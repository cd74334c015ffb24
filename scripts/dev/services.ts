import type { Child } from "./children.ts";
import { type ClawOptions, privateKeyOf, startClaw } from "./claw.ts";

export interface KeeperPartOptions extends ClawOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly indexerUrl: string;
}

/** Its caps are meant for play money: they only stop what runs wild. */
export function startKeeper({ port, dataDir, indexerUrl, ...where }: KeeperPartOptions): Promise<Child> {
  return startClaw("keeper", "keeper", where, {
    KEEPER_PRIVATE_KEY: privateKeyOf(4),
    KEEPER_EVERY_SECONDS: "10",
    KEEPER_COMPLETE_AT_LOSS: "1",
    KEEPER_MAX_GAS_HOUR: "100",
    KEEPER_MAX_GAS_DAY: "1000",
    KEEPER_MAX_LOSS_DAY: "10",
    KEEPER_METRICS_PORT: String(port),
    KEEPER_DATA_DIR: dataDir,
    INDEXER_URL: indexerUrl,
  });
}

export interface StoredPartOptions extends ClawOptions {
  readonly port: number;
  readonly dataFolder: string;
}

export function startIndexer({ port, dataFolder, ...where }: StoredPartOptions): Promise<Child> {
  return startClaw("indexer", "indexer", where, {
    INDEXER_HOST: "127.0.0.1",
    INDEXER_PORT: String(port),
    INDEXER_DATA_DIR: dataFolder,
    INDEXER_PROBE_SECONDS: "15",
  });
}

export interface GatewayPartOptions extends StoredPartOptions {
  readonly receiptsFile: string;
}

/** Its limits are meant for play money: they only stop what runs wild. */
export function startGateway({ port, dataFolder, receiptsFile, ...where }: GatewayPartOptions): Promise<Child> {
  return startClaw("gateway", "gateway", where, {
    PRIVATE_KEY: privateKeyOf(8),
    GATEWAY_HOST: "127.0.0.1",
    GATEWAY_PORT: String(port),
    GATEWAY_DATA_DIR: dataFolder,
    RECEIPTS_FILE: receiptsFile,
    MAX_PER_REQUEST: "0.1",
    MAX_PER_HOUR: "10",
    MAX_PER_DAY: "100",
    MAX_TOTAL: "1000",
    MAX_STREAMS: "16",
  });
}
