import { homedir } from "node:os";
import { join } from "node:path";
import { assertChain, connectChain, createSender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { createDialer, createLogger, createMetrics, createShutdown, listen, steadyClock } from "@clawcompute/lib/node";
import { openStore } from "@clawcompute/lib/store";
import { journaled } from "../../claw/journal.ts";
import type { CommandContext } from "../../command.ts";
import { exitCodes } from "../../exitCodes.ts";
import { askPassword } from "../../wallet/askPassword.ts";
import { unlock } from "../../wallet/unlock.ts";
import { type Asset, inUnitsOf, inWords, isNative, nativeAsset, readAsset } from "../asset.ts";
import { attemptLimits } from "../attempt.ts";
import type { SpendLimits } from "../budget/budget.ts";
import { openLedger } from "../ledger/storeLedger.ts";
import { createLocalEngine } from "../local/createLocalEngine.ts";
import { createProviderClient } from "../providerClient.ts";
import { confirmationMs } from "../quote.ts";
import { readServeConfig, type ServeConfig } from "./config.ts";
import { createGateway, type GatewayOptions } from "./gateway.ts";

export { settings } from "./config.ts";

export interface GatewayFlags {
  readonly port?: string;
  readonly host?: string;
}

const DRAIN_MS = 10_000;

/** `claw gateway`: serves until the signal aborts, then ends every stream. Returns the exit code. `onReady` gets its address, for a person. */
export async function main(
  flags: GatewayFlags,
  { env, terminal, signal, json }: CommandContext,
  onReady: (url: string) => void = () => {},
): Promise<number> {
  const config = readServeConfig({
    ...env,
    ...(flags.port === undefined ? {} : { GATEWAY_PORT: flags.port }),
    ...(flags.host === undefined ? {} : { GATEWAY_HOST: flags.host }),
  });
  const { buying } = config;
  const { network } = buying;
  const logger = createLogger({ name: "gateway", level: config.gatewayLogLevel });
  const chain = connectChain(network);
  await assertChain(chain);
  const asset = config.asset === undefined ? nativeAsset(chain) : await readAsset(chain, config.asset);
  const { account, source } = await unlock({ env, network, askPassword });
  logger.info({ address: account.address, source, network: network.name }, "wallet unlocked");
  const sender = createSender({ chain, account, logger, clock: steadyClock });
  const shutdown = createShutdown(logger, 90_000);
  const dialer = createDialer({ allowPrivate: buying.allowPrivate });
  const metrics = createMetrics("gateway");
  const stop = () => void shutdown.stop("asked to");
  const event = (name: "ready" | "stopped", facts: object) => terminal.out(`${JSON.stringify({ event: name, ...facts })}\n`);
  try {
    shutdown.onStop("connections", () => dialer.close());
    const store = await openStore({ databaseUrl: config.databaseUrl, folder: config.databaseUrl ? undefined : dataFolder(config) });
    shutdown.onStop("store", () => store.close());
    const ledger = openLedger({ db: store.db, chain, payer: account.address, clock: steadyClock, logger, countsGas: isNative(asset) });
    const gateway = createGateway({
      ...optionsOf(config, asset),
      chain,
      sender,
      clientOf: (endpoint) => createProviderClient(endpoint, dialer),
      ledger: journaled(ledger, chain, env, (text) => logger.warn(text)),
      db: store.db,
      local:
        config.localUrl === undefined
          ? undefined
          : createLocalEngine({ ...localOf(config, config.localUrl, asset), clock: steadyClock, logger }),
      clock: steadyClock,
      logger,
      metrics,
    });
    const leftOut = await ledger.restore(gateway.budget, gateway.experience);
    void gateway.recovered.then(() => leftOut.settle(0n));
    const background = new AbortController();
    shutdown.onStop("background work", () => {
      background.abort();
      return gateway.stopped();
    });
    gateway.start(background.signal);
    const listening = await listen(gateway.app, { host: config.host, port: config.port });
    shutdown.onStop("server", () => listening.close(1_000));
    shutdown.onStop("running answers and open streams", () => gateway.drain(DRAIN_MS));
    const maxDeposit = inUnitsOf(asset, buying.maxDeposit);
    const bounds = {
      ...(isNative(asset) ? {} : { asset: asset.address }),
      maxDepositWei: String(maxDeposit),
      idleSeconds: config.idleSeconds,
      confirmationMs: confirmationMs(network),
    };
    logger.info(
      { url: listening.url, address: account.address, chainId: network.chainId, ...bounds },
      `ready: gateway at ${listening.url}`,
    );
    if (json) {
      const place = { url: listening.url, openaiUrl: `${listening.url}/v1`, address: account.address };
      event("ready", { ...place, network: network.name, chainId: network.chainId, ...bounds });
    } else {
      terminal.err(
        `gateway at ${listening.url}/v1 (OpenAI) and ${listening.url} (Ollama), paying from ${account.address}\n` +
          `a stream holds at most ${inWords(asset, maxDeposit)} and is ended after ${config.idleSeconds} s without use; if this process dies, its clock runs on until the next start\n`,
      );
      onReady(listening.url);
    }
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await new Promise<void>((resolve) => shutdown.signal.addEventListener("abort", () => resolve(), { once: true }));
    await shutdown.stop("asked to");
    if (json) event("stopped", {});
    return exitCodes.done;
  } catch (thrown) {
    await shutdown.stop("it could not start");
    throw AppError.from(thrown);
  }
}

/** Books are kept in one asset. */
function dataFolder({ dataDir, port, asset }: ServeConfig): string | undefined {
  if (dataDir === undefined && port === 0) return undefined;
  return dataDir ?? join(homedir(), ".clawcompute", `gateway-${port}${asset === undefined ? "" : `-${asset.toLowerCase()}`}`);
}

/** The settings as the gateway's parts take them. */
export function optionsOf(
  config: ServeConfig,
  asset: Asset,
): Pick<
  GatewayOptions,
  | "asset"
  | "spendLimits"
  | "pool"
  | "choice"
  | "access"
  | "serve"
  | "limits"
  | "payBy"
  | "voucherStepMs"
  | "lookBackSeconds"
  | "endForgotten"
> {
  const { buying } = config;
  const { network } = buying;
  return {
    asset,
    spendLimits: limitsIn(asset, config.limits),
    pool: {
      depositSeconds: buying.depositSeconds,
      maxDeposit: inUnitsOf(asset, buying.maxDeposit),
      maxCovers: config.maxStreams,
      idleMs: config.idleSeconds * 1000,
      channelIdleMs: config.channelIdleSeconds * 1000,
      minRunwayMs: config.minRunwaySeconds * 1000,
      openWithinMs: 60_000 + 10 * network.blockTimeMs,
    },
    choice: {
      maxPrice: buying.maxPrice === undefined ? undefined : inUnitsOf(asset, buying.maxPrice),
      models: config.models,
      providers: config.providers,
    },
    access: { host: config.host, token: config.token, clients: clientsIn(asset, config.clients), origins: config.origins },
    serve: { heartbeatMs: config.heartbeatSeconds * 1000, maxBodyBytes: 32 * 1_048_576, contextLength: config.contextLength },
    limits: { ...attemptLimits, firstTokenMs: buying.firstTokenSeconds * 1000 },
    payBy: config.payBy,
    voucherStepMs: config.voucherStepMs,
    lookBackSeconds: buying.lookBackSeconds,
    endForgotten: config.exitGuard,
  };
}

function limitsIn(asset: Asset, limits: SpendLimits): SpendLimits {
  const { perRequest, perHour, perDay, total } = limits;
  const units = (amount: bigint | undefined) => (amount === undefined ? undefined : inUnitsOf(asset, amount));
  return { perRequest: units(perRequest), perHour: units(perHour), perDay: units(perDay), total: units(total) };
}

const clientsIn = (asset: Asset, clients: ServeConfig["clients"]): ServeConfig["clients"] =>
  clients?.map(({ client, keySha256 }) => ({ client: { ...client, limits: limitsIn(asset, client.limits) }, keySha256 }));

function localOf(config: ServeConfig, url: string, asset: Asset) {
  return {
    url,
    apiKey: config.localKey,
    policy: config.localPolicy,
    slots: config.localSlots,
    maxBytes: config.localMaxGib * 1_073_741_824,
    firstTokenMs: config.localTimeoutSeconds * 1000,
    raceAfterMs: config.localRaceSeconds * 1000,
    pricePerSecond: inUnitsOf(asset, config.localPrice),
  };
}
