import { type Chain, connectChain, createSender, type Sender } from "@clawcompute/lib/chain";
import { createDialer, createLogger, createMetrics, type Listening, listen, type Metrics, steadyClock } from "@clawcompute/lib/node";
import type { LocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { attemptLimits } from "../attempt.ts";
import { noLedger } from "../ledger/ledger.ts";
import { createProviderClient } from "../providerClient.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../serve/gateway.ts";

export interface TestGateway {
  readonly url: string;
  readonly gateway: Gateway;
  readonly chain: Chain;
  readonly metrics: Metrics;
  readonly log: string[];
  readonly listening: Listening;
  /** As a signal would: ends every stream. */
  stop(): Promise<void>;
  /** As a crash would: nothing is ended. */
  die(): Promise<void>;
}

type Overrides = { readonly [K in "pool" | "serve" | "limits" | "access" | "choice"]?: Partial<GatewayOptions[K]> } & Partial<
  Pick<
    GatewayOptions,
    "ledger" | "db" | "local" | "spendLimits" | "endForgotten" | "lookBackSeconds" | "payBy" | "voucherStepMs" | "clock" | "asset"
  >
>;

/** A whole gateway in this process, on a free port and a real chain. */
export async function startGateway(
  local: LocalChain,
  account: LocalAccount,
  overrides: Overrides = {},
  given?: Sender,
): Promise<TestGateway> {
  const chain = connectChain(local.network);
  const log: string[] = [];
  const logger = createLogger({ name: "gateway", level: "debug", destination: { write: (line) => void log.push(line) } });
  const metrics = createMetrics("gateway", false);
  const dialer = createDialer({ allowPrivate: true });
  const sender = given ?? createSender({ chain, account, logger });
  const gateway = createGateway({
    chain,
    sender,
    clientOf: (endpoint) => createProviderClient(endpoint, dialer),
    ledger: noLedger,
    db: undefined,
    local: undefined,
    spendLimits: { perRequest: 10n ** 16n },
    payBy: "channel",
    voucherStepMs: 1_000,
    lookBackSeconds: 86_400,
    endForgotten: true,
    clock: steadyClock,
    logger,
    metrics,
    ...overrides,
    pool: {
      depositSeconds: 60,
      maxDeposit: 10n ** 17n,
      maxCovers: 4,
      idleMs: 30_000,
      channelIdleMs: 30_000,
      minRunwayMs: 5_000,
      openWithinMs: 20_000,
      ...overrides.pool,
    },
    choice: { maxPrice: undefined, models: undefined, providers: undefined, ...overrides.choice },
    access: { host: "127.0.0.1", token: undefined, clients: undefined, origins: undefined, ...overrides.access },
    serve: { heartbeatMs: 5_000, maxBodyBytes: 8 * 1_048_576, contextLength: 32_768, ...overrides.serve },
    limits: { ...attemptLimits, sessionRetryMs: 20, ...overrides.limits },
  });
  const stopping = new AbortController();
  gateway.start(stopping.signal);
  const listening = await listen(gateway.app, { host: "127.0.0.1", port: 0 });
  const end = async () => {
    stopping.abort();
    await listening.close(0);
    await gateway.stopped();
    dialer.close();
  };
  return {
    url: listening.url,
    gateway,
    chain,
    metrics,
    log,
    listening,
    stop: async () => {
      await gateway.drain(2_000);
      await end();
    },
    die: end,
  };
}
