import { connectChain } from "@clawcompute/lib/chain";
import { type Clock, createLogger, createMetrics, listen, type Metrics, steadyClock } from "@clawcompute/lib/node";
import { openStore, type Store } from "@clawcompute/lib/store";
// biome-ignore lint/style/noRestrictedImports: test equipment
import type { LocalChain } from "@clawcompute/lib/testing";
import { type Address, type LocalAccount, zeroAddress } from "viem";
import type { Backend } from "../backends/backend.ts";
import type { OfferCaps } from "../caps.ts";
import { createProvider, type Provider, type ProviderLimits } from "../provider.ts";

export const PRICE = 100_000_000_000_000n;

export const testLimits: ProviderLimits = {
  minRunwayMs: 2_000,
  payments: {
    stepMs: 1_000,
    claimAbove: 10n ** 16n,
    idleMs: 3_600_000,
    upfrontSeconds: 30,
    balanceIdleMs: 86_400_000,
    demoSecondsPerDay: 0,
    demoRequestsPerMinute: 6,
  },
  perStream: 4,
  queueLength: 2,
  queueMs: 2_000,
  staleAfterMs: 30_000,
  firstTokenMs: 30_000,
  stallMs: 20_000,
  heartbeatMs: 5_000,
  maxBodyBytes: 1_048_576,
  withdrawEveryMs: 3_600_000,
  withdrawThreshold: 1n,
  wholeMs: 30_000,
  blindMs: 60_000,
  bodyMs: 15_000,
  requestsPerMinute: 0,
  attemptsPerMinute: 0,
  trustedProxies: 0,
  allowRemoteMedia: false,
  unlistOnStop: false,
};

export interface TestProvider {
  readonly url: string;
  readonly provider: Provider;
  readonly metrics: Metrics;
  readonly log: string[];
  providerId(index?: number): number;
  /** As a signal would: finishes running answers. */
  stop(): Promise<void>;
}

/** A whole provider in this process, on a free port and a real chain. */
export async function startProvider(options: {
  readonly local: LocalChain;
  readonly owner: LocalAccount;
  readonly signer?: LocalAccount;
  readonly offers: readonly {
    readonly model: string;
    readonly backend: Backend;
    readonly maxConcurrency?: number;
    readonly serviceType?: number;
    readonly caps?: OfferCaps;
    readonly asset?: Address;
  }[];
  readonly limits?: Partial<ProviderLimits>;
  readonly folder?: string;
  /** Shared with another replica, which closes it. */
  readonly store?: Store;
  readonly price?: bigint;
  readonly endpoint?: string;
  readonly clock?: Clock;
}): Promise<TestProvider> {
  const { local, owner, signer = owner, limits, folder } = options;
  const chain = connectChain(local.network);
  const store = options.store ?? (await openStore({ folder }));
  const log: string[] = [];
  const metrics = createMetrics("provider", false);
  const provider = createProvider({
    chain,
    db: store.db,
    // A store that was given may be shared.
    journal: options.store ? undefined : store.journal,
    owner: owner.address,
    ownerAccount: owner,
    signer,
    offers: options.offers.map(({ model, backend, maxConcurrency = 4, serviceType = 0, caps = {}, asset = zeroAddress }) => ({
      caps,
      terms: { model, pricePerSecond: options.price ?? PRICE, serviceType, asset },
      endpoint: options.endpoint,
      backend,
      maxConcurrency,
    })),
    limits: { ...testLimits, ...limits },
    logger: createLogger({ name: "provider", level: "debug", destination: { write: (line) => void log.push(line) } }),
    metrics,
    clock: options.clock ?? steadyClock,
  });
  const listening = await listen(provider.app, { port: 0, host: "127.0.0.1" });
  const stopping = new AbortController();
  await provider.start(stopping.signal, listening.url);
  return {
    url: listening.url,
    provider,
    metrics,
    log,
    providerId: (index = 0) => provider.offers[index]?.providerId ?? 0,
    stop: async () => {
      await provider.drain(5_000);
      await listening.close(1_000);
      stopping.abort();
      await provider.stopped();
      if (!options.store) await store.close();
    },
  };
}
