import { type Chain, type Offer, readChannel, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type AppEnv, type Clock, type Logger, type Metrics, runLoop } from "@clawcompute/lib/node";
import type { Database } from "@clawcompute/lib/store";
import type { Hono } from "hono";
import { isAddressEqual } from "viem";
import { type Asset, isNative, nativeAsset, spentOf } from "../asset.ts";
import type { AttemptLimits } from "../attempt.ts";
import { makeBill } from "../bill.ts";
import type { Budget, DepositHold, SpendLimits } from "../budget/budget.ts";
import { createBudget } from "../budget/budget.ts";
import { createChannelMoves } from "../channels/channelMoves.ts";
import { createChannelRail } from "../channels/channelRail.ts";
import { createClosings } from "../channels/closings.ts";
import { findChannels } from "../channels/ownChannels.ts";
import { deriveVoucherKey, type VoucherKey } from "../channels/voucherKey.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { channelsInBooks } from "../ledger/spend.ts";
import type { LocalEngine } from "../local/localEngine.ts";
import { endOrphan, findStreams, lookBackBlock, nobodysOffer } from "../orphans.ts";
import { createPayment, type PaymentTransaction } from "../payment.ts";
import type { ProviderClient } from "../providerClient.ts";
import { createCatalog } from "../selection/catalog.ts";
import type { ChoicePolicy, ChooseDeps } from "../selection/choose.ts";
import { createContextLengths } from "../selection/contextLengths.ts";
import { createExperience, type Experience } from "../selection/experience.ts";
import { createPlaces } from "../selection/places.ts";
import type { Cover, Rails } from "../streams/cover.ts";
import { createPool, type Pool, type PoolPolicy } from "../streams/pool.ts";
import { createStreamRail } from "../streams/streamRail.ts";
import { type AccessOptions, createAccess } from "./access.ts";
import { createGatewayApp } from "./app.ts";
import type { GatewayContext, ServePolicy } from "./context.ts";
import { createGatewayMetrics } from "./gatewayMetrics.ts";
import { createReplays } from "./replays.ts";

export interface GatewayOptions {
  readonly chain: Chain;
  readonly sender: Sender;
  /** By endpoint; one for each call is fine. */
  readonly clientOf: (endpoint: string) => ProviderClient;
  readonly ledger: Ledger;
  /** Where the ledger writes; without it nothing can be read back. */
  readonly db: Database | undefined;
  readonly local: LocalEngine | undefined;
  readonly spendLimits: SpendLimits;
  readonly pool: PoolPolicy;
  readonly choice: ChoicePolicy;
  /** What it pays with, and what every limit here is in the units of. Default: the native coin. */
  readonly asset?: Asset | undefined;
  readonly access: AccessOptions;
  readonly serve: ServePolicy;
  readonly limits: AttemptLimits;
  /** With what a provider is paid that takes both. */
  readonly payBy: Cover["kind"];
  /** How far vouchers may be ahead of what was served (P4). */
  readonly voucherStepMs: number;
  /** How far back forgotten streams are looked for. */
  readonly lookBackSeconds: number;
  readonly endForgotten: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Gateway {
  readonly app: Hono<AppEnv>;
  readonly pool: Pool;
  readonly budget: Budget;
  readonly experience: Experience;
  /** Follows runways and idle times, and ends what an earlier run left open (P10), until the signal aborts. */
  start(signal: AbortSignal): void;
  /** Resolves when what an earlier run left open is ended. */
  readonly recovered: Promise<void>;
  /** Refuses new requests, lets running ones finish for `graceMs`, ends every stream. */
  drain(graceMs: number): Promise<void>;
  /** Resolves when everything that `start` began has stopped. */
  stopped(): Promise<void>;
}

const TICK_MS = 500;
const CLOSING_MS = 1_000;
const RENEW_AFTER_MS = 4_000;
const STALE_AFTER_MS = 60_000;

/** Puts the parts together; nothing runs before `start`. */
export function createGateway(options: GatewayOptions): Gateway {
  const { chain, sender, clock, logger, metrics, ledger, limits, local } = options;
  const { network } = chain;
  const asset = options.asset ?? nativeAsset(chain);
  const budget = createBudget({ limits: options.spendLimits, clock, asset });
  const experience = createExperience(clock);
  const catalog = createCatalog({ chain, asset: asset.address, clock, logger, renewAfterMs: RENEW_AFTER_MS, staleAfterMs: STALE_AFTER_MS });
  const clientOf = ({ endpoint }: Offer) => options.clientOf(endpoint);
  const streams = createStreamRail({
    chain,
    sender,
    signer: sender.account,
    clientOf,
    limits,
    clock,
    logger,
    onTransaction: (transaction) => ledger.transaction(transaction),
  });
  const uncertain = new Set<{ readonly hold: DepositHold; readonly nonce: unknown }>();
  const closings = createClosings({ chain, logger });
  let voucherKey: Promise<VoucherKey> | undefined;
  const channels = createChannelRail({
    chain,
    sender,
    voucherKey: () => {
      voucherKey ??= deriveVoucherKey(sender.account, network.chainId, network.contracts.paymentChannel);
      return voucherKey;
    },
    clientOf,
    closings,
    limits,
    stepMs: options.voucherStepMs,
    clock,
    logger,
    onTransaction: (transaction) => ledger.transaction(transaction),
  });
  const rails: Rails = {
    all: [streams, channels],
    choose: async (offer) => {
      if (options.payBy === "channel" && (await channels.accepts(offer))) return channels;
      if (isNative(asset)) return streams;
      throw new AppError("UNSUPPORTED", "The provider takes this token by no channel.", { facts: { providerId: offer.id } });
    },
  };
  const pool = createPool({
    rails,
    budget,
    spentOf: (bill) => spentOf(asset, bill),
    policy: options.pool,
    clock,
    logger,
    observer: {
      opened: (cover, from) => {
        const facts = { providerId: cover.offer.id, depositWei: String(cover.depositWei), from: from?.id };
        logger.info({ ...named(cover), ...facts }, `${cover.kind} opened`);
        ledger.opened(cover, from);
      },
      toppedUp: (cover) => {
        logger.info({ ...named(cover), depositWei: String(cover.depositWei) }, `${cover.kind} prolonged`);
        ledger.toppedUp(cover);
      },
      ended: (cover, ending) => {
        const { paidWei, refundedWei } = ending.bill;
        if (ending.closing) {
          const mostWei = String(ending.closing.mostWei);
          logger.info({ ...named(cover), providerId: cover.offer.id, mostWei }, "notice given; the channel closes when it is over");
          return;
        }
        const facts = { paidWei: String(paidWei), refundedWei: String(refundedWei), servedMs: ending.servedMs ?? null };
        logger.info({ ...named(cover), providerId: cover.offer.id, ...facts }, `${cover.kind} ended`);
        ledger.ended(cover, ending);
      },
      uncertain: (offer, hold, { facts }) => {
        logger.error({ providerId: offer.id, heldWei: String(hold.wei) }, "an opening may be on the chain; looking for it later");
        uncertain.add({ hold, nonce: facts.nonce });
      },
    },
  });
  const choose: ChooseDeps = {
    catalog,
    policy: options.choice,
    seenOf: experience.of,
    isWarm: pool.isWarm,
    now: clock.now,
    asset,
  };
  let draining = false;
  let running = 0;
  let idle = () => {};
  const background: Promise<void>[] = [];
  let settleRecovered = () => {};
  const recovered = new Promise<void>((resolve) => {
    settleRecovered = resolve;
  });

  const context: GatewayContext = {
    chain,
    clock,
    logger,
    metrics,
    counted: createGatewayMetrics(metrics),
    access: createAccess(options.access),
    chat: {
      chain,
      choose,
      pool,
      places: createPlaces(clock),
      contexts: createContextLengths(clientOf, clock),
      budget,
      experience,
      clientOf,
      local,
      limits,
      clock,
      logger,
    },
    budget,
    ledger,
    replays: createReplays(clock),
    books: options.db && { db: options.db, chainId: network.chainId, payer: sender.account.address },
    payer: sender.account.address,
    lookBackSeconds: options.lookBackSeconds,
    policy: options.serve,
    assertServing: () => {
      if (draining) throw new AppError("DRAINING", "This gateway is stopping.", { retryAfterSeconds: 5 });
    },
    begin: () => {
      running += 1;
      return () => {
        running -= 1;
        if (running === 0) idle();
      };
    },
  };

  /** Ends the wallet's streams that are not this process's own. */
  async function endForgotten(): Promise<void> {
    const from = await lookBackBlock(chain, options.lookBackSeconds);
    const open = await findStreams(chain, sender.account.address, from);
    // In this order: what was found and is our own is listed by now, unless it is still being opened.
    if (pool.isOpening()) throw new AppError("BUSY", "A stream is being opened.");
    const own = new Set(pool.list().map(({ cover }) => cover.id));
    const found = open.filter(({ id, status }) => status === "active" && !own.has(String(id)));
    if (found.length > 0) logger.warn({ streamIds: found.map(({ id }) => String(id)) }, "ending streams that were left open");
    await Promise.all(
      found.map(async (stream) => {
        const isOurs = isAddressEqual(stream.asset, asset.address);
        const hold = budget.adopt(isOurs ? stream.ratePerSecond * BigInt(stream.end - stream.lastPaid) : 0n);
        const payment = createPayment({ chain, sender, clock, logger });
        const ended = await endOrphan(stream, {
          chain,
          signer: sender.account,
          payment,
          clientOf: options.clientOf,
          clock,
          logger,
          settleMs: limits.settleMs,
        }).catch((thrown: unknown) => {
          hold.settle(0n);
          throw thrown;
        });
        for (const transaction of payment.transactions) ledger.transaction(transaction);
        const bill = await makeBill(chain, [ended], payment.transactions);
        hold.settle(spentOf(asset, { ...bill, paidWei: isOurs ? bill.paidWei : 0n }));
        if (isOurs) ledger.forgotten(ended, bill);
      }),
    );
  }

  /** Gives notice for the wallet's channels that are not this process's own: with or without their provider, they end (P10). */
  async function closeForgotten(): Promise<void> {
    const from = await lookBackBlock(chain, options.lookBackSeconds);
    const listed = () => pool.list().map(({ cover }) => cover.id);
    const before = listed();
    const recent = await findChannels(chain, sender.account.address, from);
    const kept = context.books ? await channelsInBooks(context.books) : [];
    const older = await Promise.all(kept.filter((id) => recent.every((one) => one.id !== id)).map((id) => readChannel(chain, id)));
    const all = [...recent, ...older.map((one) => ({ ...one, openBlock: network.deployBlock }))];
    // What opened or ended meanwhile is our own.
    if (pool.isOpening()) throw new AppError("BUSY", "A channel is being opened.");
    const own = new Set([...before, ...listed()]);
    const found = all.filter(({ id, status }) => (status === "open" || status === "closing") && !own.has(id) && !closings.has(id));
    if (found.length > 0) logger.warn({ channelIds: found.map(({ id }) => id) }, "closing channels that were left open");
    await Promise.all(
      found.map(async (channel) => {
        const isOurs = isAddressEqual(channel.token, asset.address);
        const hold = budget.adopt(isOurs ? channel.deposit - channel.settled : 0n);
        const onTransaction = (transaction: PaymentTransaction) => ledger.transaction(transaction);
        const moves = createChannelMoves({ chain, sender, clock, logger, onTransaction });
        const { bill } = await closings.begin(channel, moves).catch((thrown: unknown) => {
          hold.settle(0n);
          throw thrown;
        });
        void bill.then((last) => {
          hold.settle(spentOf(asset, { ...last, paidWei: isOurs ? last.paidWei : 0n }));
          if (!isOurs) return;
          const offer = nobodysOffer({ payee: channel.payee, asset: channel.token, ratePerSecond: 0n });
          ledger.forgotten({ id: BigInt(channel.id), offer, ratePerSecond: 0n, start: Math.floor(clock.now() / 1000) }, last);
        });
      }),
    );
  }

  return {
    app: createGatewayApp(context, options.access.origins),
    pool,
    budget,
    experience,
    recovered,
    start: (signal) => {
      background.push(runLoop({ name: "streams", everyMs: TICK_MS, clock, signal, logger }, () => pool.tick()));
      background.push(runLoop({ name: "closing channels", everyMs: CLOSING_MS, clock, signal, logger }, () => closings.tick()));
      const once = new AbortController();
      const either = AbortSignal.any([signal, once.signal]);
      if (options.endForgotten) {
        background.push(
          runLoop({ name: "forgotten streams", everyMs: 5_000, clock, signal: either, logger }, async () => {
            await Promise.all([endForgotten(), closeForgotten()]);
            settleRecovered();
            once.abort();
          }),
        );
      } else settleRecovered();
      background.push(
        runLoop({ name: "uncertain openings", everyMs: 30_000, clock, signal, logger }, async () => {
          if (uncertain.size === 0) return;
          // While its nonce is free, what was sent may still be mined.
          const used = await chain.client.getTransactionCount({ address: sender.account.address });
          const decided = [...uncertain].filter(({ nonce }) => typeof nonce !== "number" || nonce < used);
          if (decided.length === 0) return;
          await Promise.all([endForgotten(), closeForgotten()]);
          for (const one of decided) {
            uncertain.delete(one);
            one.hold.settle(0n);
          }
        }),
      );
      catalog.offers().catch((err) => logger.warn({ err }, "the market could not be read yet"));
    },
    drain: async (graceMs) => {
      draining = true;
      if (running > 0) {
        const over = new AbortController();
        await Promise.race([
          new Promise<void>((resolve) => {
            idle = resolve;
          }),
          clock.sleep(graceMs, over.signal).catch(() => {}),
        ]);
        over.abort();
      }
      await pool.endAll();
      await ledger.flush();
    },
    stopped: async () => {
      await Promise.all(background);
    },
  };
}

const named = ({ kind, id }: Cover) => (kind === "stream" ? { streamId: id } : { channelId: id });
