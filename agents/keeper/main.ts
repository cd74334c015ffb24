import { assertChain, connectChain, createSender, refuseDevKeyOnPublicChain } from "@clawcompute/lib/chain";
import { createIndexerClient } from "@clawcompute/lib/indexer";
import {
  createApp,
  createLogger,
  createMetrics,
  createShutdown,
  type Listening,
  type Logger,
  listen,
  runLoop,
  systemClock,
} from "@clawcompute/lib/node";
import { type LocalAccount, zeroAddress } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { askPassword } from "../wallet/askPassword.ts";
import { unlock } from "../wallet/unlock.ts";
import { type KeeperConfig, readConfig } from "./config.ts";
import { followStreams } from "./followStreams.ts";
import { createKeeper } from "./keeper.ts";
import { openRecords } from "./records.ts";
import { boundedFetch, chainSource, indexerSource } from "./sources.ts";
import { createTurns } from "./turns.ts";

/** How long an indexer whose word was not the chain's is left alone. */
const DOUBT_MS = 600_000;
/** Rounds without the indexer before the chain's events take its place. */
const PATIENCE = 3;

export interface KeeperFlags {
  readonly completeAtLoss?: boolean;
}

export interface KeeperContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the program should stop. */
  readonly signal: AbortSignal;
  readonly logger?: Logger;
}

/** `claw keeper`: runs until the signal aborts; then what is under way is finished. Returns the exit code. */
export async function main(flags: KeeperFlags, { env, signal, logger: given }: KeeperContext): Promise<number> {
  const config = readConfig(flags.completeAtLoss ? { ...env, KEEPER_COMPLETE_AT_LOSS: "1" } : env);
  const { network } = config;
  const logger = given ?? createLogger({ name: "keeper", level: config.logLevel });
  const chain = connectChain(network);
  await assertChain(chain);
  const account = await accountOf(config, env);
  const sender = createSender({ chain, account, logger, clock: systemClock });
  const records = openRecords(config.folder);
  const metrics = createMetrics("keeper");
  const shutdown = createShutdown(logger);
  if (config.metrics) {
    const served = await serveMetrics(config.metrics, metrics, logger);
    shutdown.onStop("metrics", () => served.close());
    logger.info({ url: served.url }, "metrics and health");
  }
  const events = followStreams({ chain, folder: config.folder, clock: systemClock, signal: shutdown.signal, logger, metrics });
  const direct = chainSource(() => events.list());
  const source = config.indexerUrl
    ? indexerSource({
        client: createIndexerClient({ url: config.indexerUrl, fetch: boundedFetch }),
        chain,
        assets: [zeroAddress, ...config.tokens],
        otherwise: direct,
        maxLag: config.maxLag,
        patience: PATIENCE,
        doubtMs: DOUBT_MS,
        now: systemClock.now,
        logger,
      })
    : direct;
  logger.info(
    {
      network: network.name,
      chainId: network.chainId,
      address: account.address,
      everyMs: config.everyMs,
      completeAtLoss: config.completeAtLoss,
      folder: config.folder,
      indexer: config.indexerUrl,
    },
    "keeper started",
  );

  const stop = () => void shutdown.stop("asked to");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();

  if (!config.indexerUrl) await events.ready();
  const turns = createTurns({ chain, own: account.address, everyMs: config.everyMs, clock: systemClock });
  const round = createKeeper({ chain, sender, source, turns, records, clock: systemClock, logger, metrics, config });
  await turns.look().catch(() => {}); // the first round looks again
  let lastMs: number | undefined;
  await runLoop({ name: "keeper", everyMs: 100, clock: systemClock, signal: shutdown.signal, logger }, async (loopSignal) => {
    await systemClock.sleep(turns.waitMs(lastMs), loopSignal).catch(() => {});
    if (loopSignal.aborted) return;
    lastMs = systemClock.now();
    await round(loopSignal);
    events.save();
  });
  await events.stopped();
  await shutdown.stop("asked to");
  return 0;
}

/** KEEPER_PRIVATE_KEY, else the wallet of the claw commands; on a local chain the development account that is left to keepers. */
async function accountOf({ network, key }: KeeperConfig, env: KeeperContext["env"]): Promise<LocalAccount> {
  if (key) {
    const account = privateKeyToAccount(key);
    refuseDevKeyOnPublicChain(network, account.address);
    return account;
  }
  if (network.isLocal && !env.PRIVATE_KEY && !env.WALLET_FILE)
    return mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: 4 });
  return (await unlock({ env, network, askPassword })).account;
}

function serveMetrics(
  { host, port }: { host: string; port: number },
  metrics: ReturnType<typeof createMetrics>,
  logger: Logger,
): Promise<Listening> {
  const app = createApp({ logger });
  app.get("/health", (c) => c.json({ status: "ok", role: "keeper" }));
  app.get("/metrics", async (c) => c.text(await metrics.render(), 200, { "content-type": metrics.registry.contentType }));
  return listen(app, { host, port });
}
