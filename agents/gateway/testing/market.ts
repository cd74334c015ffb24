import { type Chain, connectChain, createSender, registryWrites, type Sender } from "@clawcompute/lib/chain";
import { createDialer, systemClock } from "@clawcompute/lib/node";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { type AskDeps, type AskObserver, type AskRequest, type AskResult, ask } from "../ask.ts";
import { type AttemptLimits, attemptLimits } from "../attempt.ts";
import { createPayment } from "../payment.ts";
import { createProviderClient } from "../providerClient.ts";
import { type ScriptedProvider, type ScriptedProviderOptions, startScriptedProvider } from "./scriptedProvider.ts";

export const quiet = { debug() {}, info() {}, warn() {}, error() {} } as unknown as AskDeps["logger"];

export interface Market {
  readonly chain: Chain;
  readonly local: LocalChain;
  readonly payer: LocalAccount;
  readonly sender: Sender;
  /** Sends for another account, perhaps by another way to the chain. */
  senderOf(account: LocalAccount, by?: Chain): Sender;
  /** Starts a scripted provider and registers its offer. Later ones are cheaper or dearer as their price says. */
  provide(options?: Partial<ScriptedProviderOptions> & { price?: bigint; model?: string; endpoint?: string }): Promise<ScriptedProvider>;
  /** The offer of one is served by the other from now on, at its endpoint. */
  move(from: ScriptedProvider, to: ScriptedProvider): Promise<void>;
  /** Takes back all offers and stops all providers. */
  clear(): Promise<void>;
  ask(request?: Partial<AskRequest>, options?: AskOptions): Promise<AskResult>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly limits?: Partial<AttemptLimits>;
  readonly signal?: AbortSignal;
  readonly observer?: Partial<AskObserver>;
}

export const silent: AskObserver = { quote() {}, opened() {}, requested() {}, text() {}, failed() {}, ending() {} };

/** A real chain that mines whenever something was sent, with scripted providers on it. */
export async function openMarket(): Promise<Market> {
  const local = await startLocalChain({ blockTimeMs: 0 });
  const chain = connectChain({ ...local.network, blockTimeMs: 100 });
  const advances: Promise<void>[] = [];
  const senderOf = (account: LocalAccount, by = chain): Sender => {
    const sender = createSender({ chain: by, account, logger: quiet });
    return {
      ...sender,
      send: (call, options) =>
        sender.send(call, {
          ...options,
          onSent: (hash) => {
            options?.onSent?.(hash);
            // Time passes between two blocks, as on any chain: what was served is never more than the clock says.
            advances.push(local.advance(2));
          },
        }),
    };
  };
  const payer = devAccounts[5] as LocalAccount;
  const sender = senderOf(payer);
  const owner = devAccounts[1] as LocalAccount;
  const ownerSender = senderOf(owner);
  const running: { provider: ScriptedProvider; id: number; endpoint: string; price: bigint }[] = [];
  const dialer = createDialer({ allowPrivate: true });

  const market: Market = {
    chain,
    local,
    payer,
    sender,
    senderOf,
    provide: async ({ price = 1_000_000_000_000n, model = "tiny", endpoint, ...options } = {}) => {
      const provider = await startScriptedProvider({ network: local.network, signer: owner, ...options });
      const call = registryWrites.registerProvider({ model, pricePerSecond: price, endpoint: endpoint ?? provider.url, serviceType: 0 });
      const { receipt } = await ownerSender.send(call);
      const id = Number(BigInt(receipt.logs[0]?.topics[1] ?? 0));
      provider.offer = { id, ratePerSecond: price, model };
      running.push({ provider, id, endpoint: endpoint ?? provider.url, price });
      return provider;
    },
    move: async (from, to) => {
      const { id, ratePerSecond } = from.offer;
      await ownerSender.send(registryWrites.updateProvider({ id, pricePerSecond: ratePerSecond, endpoint: to.url, active: true }));
      to.offer = from.offer;
    },
    clear: async () => {
      for (const { provider, id, endpoint, price } of running.splice(0)) {
        await provider.close();
        await ownerSender.send(registryWrites.updateProvider({ id, pricePerSecond: price, endpoint, active: false }));
      }
    },
    ask: (request = {}, { limits, signal = new AbortController().signal, observer } = {}) =>
      ask(
        { prompt: "hello", maxSpend: 10n ** 16n, seconds: 60, exactSeconds: false, ...request },
        {
          chain,
          signer: payer,
          payment: createPayment({ chain, sender, clock: systemClock, logger: quiet }),
          clientOf: ({ endpoint }) => createProviderClient(endpoint, dialer),
          limits: { ...attemptLimits, sessionRetryMs: 20, ...limits },
          clock: systemClock,
          logger: quiet,
          signal,
          observer: { ...silent, ...observer },
        },
      ),
    close: async () => {
      await market.clear();
      dialer.close();
      await Promise.all(advances);
      await local.stop();
    },
  };
  return market;
}
