import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { assertChain, connectChain } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import {
  createLogger,
  createMetrics,
  createShutdown,
  exitOnSignals,
  type Logger,
  listen,
  type Shutdown,
  steadyClock,
  systemClock,
} from "@clawcompute/lib/node";
import { createWriterLock, openStore } from "@clawcompute/lib/store";
import { errorLine } from "../command.ts";
import { exitCodeOf } from "../exitCodes.ts";
import { processTerminal } from "../terminal.ts";
import { askPassword } from "../wallet/askPassword.ts";
import { createBackend } from "./backends/index.ts";
import { type ProviderConfig, readConfig } from "./config.ts";
import { dataFolder, walletKey } from "./dataFolder.ts";
import { type ProviderKeys, readKeys } from "./keys.ts";
import type { OfferTerms } from "./offers.ts";
import { type Operation, operate, operateUsage, operations } from "./operate/main.ts";
import { holdFolder } from "./operate/orderSocket.ts";
import { carryOut, type Desk } from "./operate/orders.ts";
import { createProvider, type OfferSetup, type ProviderLimits } from "./provider.ts";
import { createReload, type Reload, watchSettings } from "./reload.ts";

const usage = `claw provider: serve a model and be paid by the second.

Settings come from the environment or the file .env; .env.example documents each one. The main ones:
  BACKEND=llama|openai|groq|echo   GGUF_PATH, INFERENCE_URL or GROQ_API_KEY
  MODEL_NAME, PRICE_PER_SECOND, PROVIDER_PORT, ENDPOINT_URL, NETWORK, PRIVATE_KEY
  PROVIDER_OFFERS=<file.json>      several offers in one process

claw provider setup [--check]      looks at this machine and writes these settings; see claw provider setup --help
${operateUsage}
Signals: SIGTERM or Ctrl-C lets running answers end and stops; prices are read again when their files
change, and by SIGHUP.
`;

export interface RunningProvider {
  readonly url: string;
  /** Ids in the registry, in the order of the offers; undefined while one could not be registered. */
  readonly providerIds: readonly (number | undefined)[];
  /** Changes the prices that differ; throws what the chain refuses. */
  setPrices(wanted: readonly OfferTerms[]): Promise<void>;
}

export interface RunOptions {
  readonly config: ProviderConfig;
  readonly keys: ProviderKeys;
  readonly logger: Logger;
  /** Stopping, also while it still starts. */
  readonly shutdown: Shutdown;
}

/** Starts serving; resolves when the engines were checked and the offers registered, or that was tried once. */
export async function runProvider({ config, keys, logger, shutdown }: RunOptions): Promise<RunningProvider> {
  const { network } = config;
  try {
    logger.info({ network: network.name, rpc: network.rpcUrls.length }, "starting: asking the chain");
    const chain = connectChain(network);
    await assertChain(chain);
    const folder = config.databaseUrl ? undefined : dataFolder(config);
    if (folder) mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
    const held = folder ? await holdFolder(folder) : undefined;
    if (held) shutdown.onStop("store's folder", () => held.release());
    logger.info(
      { store: folder ?? (config.databaseUrl ? "PostgreSQL" : "in memory") },
      "opening the store; the first time takes some seconds",
    );
    const store = await openStore({ databaseUrl: config.databaseUrl, folder });
    shutdown.onStop("store", () => store.close());
    const offers: OfferSetup[] = config.offers.map(({ backend, maxConcurrency, endpoint, caps, ...terms }) => ({
      terms,
      endpoint,
      caps,
      backend: createBackend(backend, { clock: steadyClock }),
      maxConcurrency,
    }));
    shutdown.onStop("engines", async () => void (await Promise.all(offers.map(({ backend }) => backend.close()))));
    const metrics = createMetrics("provider");
    const provider = createProvider({
      chain,
      db: store.db,
      journal: store.journal,
      walletLock: store.kind === "server" ? createWriterLock(config.databaseUrl, walletKey(keys.owner)) : undefined,
      ...keys,
      offers,
      limits: limitsOf(config),
      logger,
      metrics,
      clock: steadyClock,
    });
    // The chain is followed until the last answer has ended: its money may go meanwhile.
    const background = new AbortController();
    shutdown.onStop("background work", () => {
      background.abort();
      return provider.stopped();
    });
    const listening = await listen(provider.app, { port: config.listenPort, host: config.host });
    shutdown.onStop("server", () => listening.close());
    shutdown.onStop("running answers", () => provider.drain(config.drainSeconds * 1000));
    const url = `http://localhost:${listening.port}`;
    const { withSender } = provider;
    const desk: Desk = { chain, db: store.db, owner: keys.owner, logger, withSender };
    held?.serve((order) => carryOut(desk, order, background.signal));
    logger.info({ models: offers.map(({ terms }) => terms.model) }, "checking the engines and the registry");
    await provider.start(background.signal, url);
    for (const { terms, providerId } of provider.offers) announce(logger, network, url, terms, providerId);
    const providerIds = provider.offers.map(({ providerId }) => providerId);
    return { url, providerIds, setPrices: (wanted) => provider.setPrices(wanted, background.signal) };
  } catch (thrown) {
    await shutdown.stop("it could not start");
    throw thrown;
  }
}

function announce(logger: Logger, network: Network, url: string, terms: OfferTerms, providerId: number | undefined): void {
  const { model, pricePerSecond } = terms;
  const id = providerId === undefined ? "not registered yet" : `provider ${providerId}`;
  const price = `${formatAmount(pricePerSecond)} ${network.nativeSymbol}/s`;
  const fields = { model, url, providerId: providerId ?? null, pricePerSecond: String(pricePerSecond), chainId: network.chainId };
  logger.info(fields, `ready: ${model} at ${url} (${id}, ${price}, chain ${network.name})`);
}

function limitsOf(config: ProviderConfig): ProviderLimits {
  return {
    minRunwayMs: config.minRunwaySeconds * 1000,
    payments: {
      stepMs: config.voucherStepSeconds * 1000,
      claimAbove: config.claimAbove,
      idleMs: config.channelIdleSeconds * 1000,
      upfrontSeconds: config.upfrontSeconds,
      balanceIdleMs: config.balanceIdleSeconds * 1000,
      demoSecondsPerDay: config.demoSecondsPerDay,
      demoRequestsPerMinute: config.demoRequestsPerMinute,
    },
    perStream: config.perStream,
    queueLength: config.queueLength,
    queueMs: config.queueSeconds * 1000,
    staleAfterMs: config.staleSeconds * 1000,
    firstTokenMs: config.firstTokenSeconds * 1000,
    stallMs: config.stallSeconds * 1000,
    heartbeatMs: 5_000,
    maxBodyBytes: 16 * 1_048_576,
    withdrawEveryMs: config.withdrawSeconds * 1000,
    withdrawThreshold: config.withdrawThreshold,
    wholeMs: config.wholeSeconds * 1000,
    blindMs: config.blindSeconds * 1000,
    bodyMs: 15_000,
    requestsPerMinute: config.requestsPerMinute,
    attemptsPerMinute: config.attemptsPerMinute,
    trustedProxies: config.trustedProxies,
    allowRemoteMedia: config.allowRemoteMedia,
    unlistOnStop: config.unlistOnStop,
  };
}

export interface MainOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
}

/** `claw provider`: runs until a signal; exits with an explanation when it cannot. */
export async function main({ env, argv }: MainOptions): Promise<void> {
  if (argv[0] === "setup") {
    const setup = await import("./setup/main.ts");
    process.exitCode = await setup.main({ argv: argv.slice(1), env });
    return;
  }
  const operation = operations.find((name) => name === argv[0]);
  if (operation && !argv.includes("--help")) {
    await operateAndExit(operation, argv.slice(1), env);
    return;
  }
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(usage);
    return;
  }
  try {
    if (argv.length > 0) throw new AppError("BAD_REQUEST", `Unknown argument "${argv[0]}".`, { hint: "See claw provider --help." });
    const config = readConfig(env, (path) => readFileSync(path, "utf8"));
    const logger = createLogger({ name: "provider", level: config.logLevel });
    const keys = await readKeys(config, env, askPassword);
    const shutdown = createShutdown(logger, (config.drainSeconds + 10) * 1000);
    exitOnSignals(shutdown);
    const reload = createReload(env, config.reloadFile, process.execArgv);
    // Prices may be read again as soon as somebody can ask for it.
    const started = Promise.withResolvers<RunningProvider>();
    started.promise.catch(() => {});
    const again = async () => reloadPrices(await started.promise, reload, logger);
    // From a terminal the same signal means that its window was closed.
    process.on("SIGHUP", () => {
      if (process.stderr.isTTY) void shutdown.stop("SIGHUP").then(() => process.exit(0));
      else void again();
    });
    const files = [...reload.files, ...(config.offersFile === undefined ? [] : [config.offersFile])];
    const unwatch = watchSettings(files, again);
    shutdown.onStop("watching the settings", async () => unwatch());
    started.resolve(await runProvider({ config, keys, logger, shutdown }));
  } catch (thrown) {
    exitBecause(thrown);
  }
}

/** Reads the settings again and changes prices; a mistake in them changes nothing. */
async function reloadPrices({ setPrices }: RunningProvider, reload: Reload, logger: Logger): Promise<void> {
  try {
    const { offers } = readConfig(reload.readEnv(), (path) => readFileSync(path, "utf8"));
    await setPrices(offers);
    logger.info({ offers: offers.length }, "prices read again");
  } catch (thrown) {
    const { code, message, facts } = AppError.from(thrown);
    logger.error({ code, reason: message, facts }, "the prices stay as they are");
  }
}

async function operateAndExit(operation: Operation, argv: readonly string[], env: MainOptions["env"]): Promise<void> {
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  try {
    const terminal = processTerminal(process);
    await operate({ operation, argv, env, terminal, askPassword, clock: systemClock, signal: stopping.signal });
    // Idle connections must not keep a finished command alive.
    process.stdout.write("", () => process.exit());
  } catch (thrown) {
    exitBecause(thrown);
  }
}

function exitBecause(thrown: unknown): never {
  const error = AppError.from(thrown);
  process.stderr.write(errorLine(error));
  if (error.code === "INTERNAL") process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  process.exit(exitCodeOf(error));
}
