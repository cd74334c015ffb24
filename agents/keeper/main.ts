import { assertChain, connectChain, createSender, refuseDevKeyOnPublicChain, watchEvents } from "@clawcompute/lib/chain";
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
import type { LocalAccount } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { askPassword } from "../wallet/askPassword.ts";
import { unlock } from "../wallet/unlock.ts";
import { type KeeperConfig, readConfig } from "./config.ts";
import { createKeeper } from "./keeper.ts";
import { createOpenStreams } from "./openStreams.ts";
import { loadState, saveState } from "./stateFile.ts";

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
  const [head, { hash: genesis }] = await Promise.all([chain.client.getBlockNumber(), chain.client.getBlock({ blockNumber: 0n })]);
  const streams = createOpenStreams(config.stateFile ? loadState(config.stateFile, network, genesis) : undefined);
  const metrics = createMetrics("keeper");
  const caughtUp = metrics.gauge("block", "Newest block that was read");
  const shutdown = createShutdown(logger);
  if (config.metrics) {
    const served = await serveMetrics(config.metrics, metrics, logger);
    shutdown.onStop("metrics", () => served.close());
    logger.info({ url: served.url }, "metrics and health");
  }
  logger.info(
    {
      network: network.name,
      chainId: network.chainId,
      address: account.address,
      everyMs: config.everyMs,
      completeAtLoss: config.completeAtLoss,
      known: streams.list().length,
    },
    "keeper started",
  );

  const save = () => config.stateFile && saveState(config.stateFile, network, genesis, streams.save());
  let firstRead = () => {};
  const ready = new Promise<void>((resolve) => {
    firstRead = resolve;
  });
  const watching = watchEvents({
    chain,
    fromBlock: network.deployBlock,
    known: streams.marks(),
    contracts: ["streamPay"],
    clock: systemClock,
    signal: shutdown.signal,
    logger,
    onEvents: async (events, upTo) => {
      streams.apply(events, upTo);
      caughtUp.set(Number(upTo.number));
      if (upTo.number >= head) firstRead();
    },
    onRollback: async (toBlock) => streams.rollback(toBlock),
  });
  const stop = () => void shutdown.stop("asked to");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();

  const aborted = new Promise<void>((resolve) => shutdown.signal.addEventListener("abort", () => resolve(), { once: true }));
  if (streams.marks().at(-1)?.number === head) firstRead();
  await Promise.race([ready, aborted]);
  const round = createKeeper({ chain, sender, streams, logger, metrics, config });
  await runLoop({ name: "keeper", everyMs: config.everyMs, clock: systemClock, signal: shutdown.signal, logger }, async (loopSignal) => {
    await round(loopSignal);
    save();
  });
  await watching;
  save();
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
