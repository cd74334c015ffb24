import { setMaxListeners } from "node:events";
import { streamPayAbi } from "@clawcompute/lib/abi";
import {
  type Chain,
  contractSignatureOf,
  createSender,
  decodeRevert,
  listWalletOffers,
  readOffer,
  readStream,
  readStreamAgreed,
  type StreamState,
  watchAgreement,
  watchEvents,
} from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { type AppEnv, type Clock, type Logger, type Metrics, recoverSigner, runLoop } from "@clawcompute/lib/node";
import type { Domain } from "@clawcompute/lib/protocol";
import type { Database, Store, WriterLock } from "@clawcompute/lib/store";
import type { Hono } from "hono";
import { type Address, isAddressEqual, type LocalAccount } from "viem";
import { createAdmission } from "./admission.ts";
import type { AnswerLimits } from "./answer.ts";
import { createAnswerMetrics } from "./answerMetrics.ts";
import { createProviderApp } from "./app.ts";
import type { Backend } from "./backends/backend.ts";
import { callerOf } from "./caller.ts";
import { createCapacity } from "./capacity.ts";
import type { OfferCaps } from "./caps.ts";
import { createChainTime } from "./chainTime.ts";
import { createSharedMeters } from "./closing.ts";
import type { ProviderContext } from "./context.ts";
import { createDraft } from "./drafting.ts";
import { createListedMarks } from "./listedMarks.ts";
import { applyListing, changePrice, planPrices, setActive } from "./listing.ts";
import { type OfferTerms, offerOf, type ServedOffer } from "./offers.ts";
import type { Desk } from "./operate/orders.ts";
import { createOutbox } from "./outbox.ts";
import { createOwnMeters } from "./ownMeters.ts";
import { readPastIncome } from "./pastIncome.ts";
import type { Collecting } from "./payments/collect.ts";
import { createPayments, type PaymentLimits } from "./payments/payments.ts";
import { createPlaces } from "./places.ts";
import { createRateLimit } from "./rateLimit.ts";
import { registerOffer } from "./registration.ts";
import { createRunning } from "./running.ts";
import { assertUsable } from "./services.ts";
import { createSessions } from "./sessions.ts";
import { createSettlements } from "./settlement.ts";
import { createStreams } from "./streams.ts";
import { createIncome, type Income } from "./withdraw.ts";

export interface ProviderLimits extends AnswerLimits {
  readonly minRunwayMs: number;
  readonly payments: PaymentLimits;
  readonly perStream: number;
  readonly queueLength: number;
  readonly queueMs: number;
  readonly staleAfterMs: number;
  readonly maxBodyBytes: number;
  readonly withdrawEveryMs: number;
  readonly withdrawThreshold: bigint;
  /** How long a caller may take to send a body. */
  readonly bodyMs: number;
  /** Requests of one payer; 0: as many as it likes. */
  readonly requestsPerMinute: number;
  /** Session proofs and wrong tokens from one address; those that were worth it do not count. 0: no limit. */
  readonly attemptsPerMinute: number;
  /** How many proxies of the operator's own stand before this process. */
  readonly trustedProxies: number;
  readonly allowRemoteMedia: boolean;
  /** Takes the offers off the market when the process stops. */
  readonly unlistOnStop: boolean;
}

export interface OfferSetup {
  readonly terms: OfferTerms;
  /** What the registry shows; undefined: where this process listens. */
  readonly endpoint: string | undefined;
  readonly backend: Backend;
  readonly maxConcurrency: number;
  readonly caps?: OfferCaps;
}

export interface ProviderOptions {
  readonly chain: Chain;
  readonly db: Database;
  /** Of a store that only this process has; undefined: replicas share it. */
  readonly journal?: Store["journal"];
  /** Where other processes share the store: the wallet's turn among them. Undefined: this process is alone. */
  readonly walletLock?: WriterLock | undefined;
  /** Whom streams pay. */
  readonly owner: Address;
  /** The owner's key, when it is on this machine: for registering and collecting. */
  readonly ownerAccount: LocalAccount | undefined;
  /** Signs receipts and settlements. */
  readonly signer: LocalAccount;
  readonly offers: readonly OfferSetup[];
  readonly limits: ProviderLimits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For what is paid for: must not jump. */
  readonly clock: Clock;
}

export interface Provider {
  readonly app: Hono<AppEnv>;
  readonly offers: readonly ServedOffer[];
  /**
   * Follows the chain, checks the engines, registers; resolves when each was tried once, and all goes on until the signal
   * aborts. Throws CONFIG_INVALID when an engine says that trying again is of no use.
   */
  start(signal: AbortSignal, ownUrl: string): Promise<void>;
  /** Puts changed prices into the registry, one after another; open streams keep theirs. Throws what the chain refuses, or WALLET_MISSING. */
  setPrices(wanted: readonly OfferTerms[], signal: AbortSignal): Promise<void>;
  /** The wallet's next turn for somebody else's work. */
  withSender: Desk["withSender"];
  /** Refuses new work, lets running answers finish for `graceMs`, then ends them. */
  drain(graceMs: number): Promise<void>;
  /** Resolves when everything that `start` began has stopped. */
  stopped(): Promise<void>;
}

const BALANCE_MS = 60_000;
/** Stopping waits this long for the chain, no longer. */
const UNLIST_MS = 30_000;
/** A payer's transaction that is sent for it may take this long. */
const RELAY_MS = 60_000;

/** Puts the parts together; nothing runs before `start`. */
export function createProvider(options: ProviderOptions): Provider {
  const { chain, db, journal, walletLock, owner, ownerAccount, signer, limits, logger, metrics, clock } = options;
  const domain: Domain = { chainId: chain.network.chainId, verifyingContract: chain.network.contracts.streamPay };
  const { perStream, queueLength, queueMs } = limits;
  const places = walletLock && createPlaces({ db, chainId: domain.chainId, clock, logger });
  const offers: ServedOffer[] = options.offers.map(({ terms, backend, maxConcurrency: size, caps = {} }) => {
    const local = createCapacity({ size, perStream, queueLength, queueMs, clock });
    const offer: ServedOffer = { terms, caps, backend, capacity: local, providerId: undefined, checked: false, active: true };
    const capacity = places?.share(local, { size, perStream, queueMs, clock }, () => offer.providerId ?? 0) ?? local;
    return Object.assign(offer, { capacity });
  });
  const chainTime = createChainTime({ clock, staleAfterMs: limits.staleAfterMs });
  const read = (id: bigint) => readStream(chain, id);
  const assertOurs = (state: StreamState) => {
    const offer = offerOf(offers, state.providerId);
    if (!isAddressEqual(state.payee, owner) || state.providerId === 0 || !offer) {
      throw new AppError("WRONG_PROVIDER", "This stream does not pay for an offer that is served here.", {
        param: "streamId",
        facts: { payee: state.payee, providerId: state.providerId, expectedPayee: owner },
      });
    }
    if (!isAddressEqual(state.asset, offer.terms.asset)) {
      throw new AppError("ASSET_MISMATCH", "This stream pays in another asset than the offer's.", {
        param: "streamId",
        facts: { asset: state.asset, expected: offer.terms.asset },
      });
    }
  };
  const streams = createStreams({
    read: (id) => readStreamAgreed(chain, id),
    newestBlock: () =>
      chain.client.getBlockNumber().catch((thrown) => {
        throw decodeRevert(thrown);
      }),
    assertOurs,
    chainTime,
    logger,
  });
  const contractSignature = contractSignatureOf(chain);
  const draft = createDraft({ domain, signer });
  const counted = { db, chainId: domain.chainId, draft };
  const meters = journal ? createOwnMeters({ ...counted, journal }) : createSharedMeters(counted);
  const sessions = createSessions({ db, counting: meters, domain, streams, chainTime, clock, contractSignature, recover: recoverSigner });
  const settlements = createSettlements({ db, domain, signer, meters, draft, onSettled: sessions.forget });
  const requests = createRateLimit({ perMinute: limits.requestsPerMinute, what: "requests of one payer", clock });
  const attempts = createRateLimit({ perMinute: limits.attemptsPerMinute, what: "proofs and tokens from this address", clock });
  const running = createRunning();
  const wallet = ownerAccount && createOutbox({ db, chain, logger, sender: createSender({ chain, account: ownerAccount, logger }) });
  const sender = wallet?.sender;
  const payments = createPayments({
    db,
    meters,
    journal,
    chain,
    payee: owner,
    signer,
    offers,
    clock,
    logger,
    limits: limits.payments,
    metrics,
    attempts,
    endAnswers: (payment) => running.endAll(payment),
    sessions,
    wallet: sender && {
      estimate: sender.estimate,
      // The nonce queue lets this process send at once; replicas take turns.
      send: (call, options) =>
        walletLock ? inTurn(() => withWallet(AbortSignal.timeout(RELAY_MS), () => sender.send(call, options))) : sender.send(call, options),
    },
    replicated: walletLock !== undefined,
  });
  const admission = createAdmission({
    sessions,
    streams,
    offers,
    payments,
    chainTime,
    domain,
    payee: owner,
    minRunwayMs: limits.minRunwayMs,
    requests,
    attempts,
  });
  const cut = new AbortController();
  setMaxListeners(0, cut.signal);
  const background: Promise<void>[] = [];
  let following = false;
  /** Aborted when a payer wants its deposit back: vouchers are cashed at once. */
  let closingSeen = new AbortController();

  const context: ProviderContext = {
    logger,
    clock,
    metrics,
    domain,
    payee: owner,
    signer: signer.address,
    offers,
    chainTime,
    streams,
    sessions,
    settlements,
    admission,
    payments,
    running,
    answers: {
      clock,
      logger,
      meters,
      streams,
      chainTime,
      admission,
      settlements,
      running,
      metrics: createAnswerMetrics(metrics),
      limits,
      cut: cut.signal,
    },
    callerOf: (c) => callerOf(c, limits.trustedProxies),
    attempts,
    maxBodyBytes: limits.maxBodyBytes,
    bodyMs: limits.bodyMs,
    allowRemoteMedia: limits.allowRemoteMedia,
    following: () => following,
  };

  const creditOf = (asset: Address) =>
    chain.client.readContract({ address: domain.verifyingContract, abi: streamPayAbi, functionName: "creditOf", args: [owner, asset] });
  const assets = offers.map(({ terms }) => terms.asset);
  const income: Income | undefined =
    sender &&
    createIncome({ db, chain, payee: owner, sender, chainTime, logger, read, creditOf, assets, threshold: limits.withdrawThreshold });

  async function follow(signal: AbortSignal): Promise<void> {
    const head = await chain.client.getBlock().catch((cause) => {
      throw new AppError("CHAIN_UNAVAILABLE", "The newest block could not be read.", { cause });
    });
    chainTime.observe({ number: head.number, timestampMs: Number(head.timestamp) * 1000 });
    following = true;
    background.push(
      watchEvents({
        chain,
        fromBlock: head.number + 1n,
        clock,
        signal,
        logger,
        contracts: ["streamPay", "registry", "paymentChannel"],
        onEvents: async (events, upTo) => {
          chainTime.observe(upTo);
          streams.apply(events);
          applyListing(offers, events, logger);
          await streams.followedTo(upTo.number);
          await income?.record(events);
          await payments.apply(events);
          if (events.some(({ name }) => name === "CloseRequested")) closingSeen.abort();
        },
        onRollback: async () => {
          await streams.recheck();
          await payments.recheck();
        },
      }),
      watchAgreement({
        chain,
        everyMs: Math.min(2_000, Math.max(250, chain.network.blockTimeMs)),
        clock,
        signal,
        logger,
        contract: "streamPay",
        onChange: async (disagreement) => {
          chainTime.distrust(disagreement);
          if (disagreement) await streams.recheck();
        },
      }),
    );
  }

  /** The wallet's next turn, after what earlier turns may have left over. Replicas take turns by a lock in the store. */
  async function withWallet<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (!wallet) return work(signal);
    const lock = await walletLock?.acquire(signal);
    try {
      const both = lock ? AbortSignal.any([signal, lock.lost]) : signal;
      await wallet.finishEarlier(both);
      return await work(both);
    } finally {
      await lock?.release();
    }
  }

  /** Runs until it has succeeded once; a failure is logged by the loop and tried again. */
  function untilDone(name: string, everyMs: number, signal: AbortSignal, step: () => Promise<void>): Promise<void> {
    const done = new AbortController();
    const both = AbortSignal.any([signal, done.signal]);
    return runLoop({ name, everyMs, clock, signal: both, logger }, async () => {
      await step();
      done.abort();
    });
  }

  /** Resolves with the first try's error, if it had one; the rest goes on in the background. */
  function firstTry(name: string, signal: AbortSignal, step: () => Promise<void>): Promise<AppError | undefined> {
    return new Promise((resolve) => {
      const tried = async () => {
        try {
          await step();
          resolve(undefined);
        } catch (thrown) {
          resolve(AppError.from(thrown));
          throw thrown;
        }
      };
      background.push(untilDone(name, 5_000, signal, tried).finally(() => resolve(undefined)));
    });
  }

  /** Every so often, and at once when a payer is about to leave. */
  async function collectVouchers(collecting: Collecting, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      closingSeen = new AbortController();
      await collecting.collect(signal).catch((thrown) => {
        if (!signal.aborted) logger.warn({ err: thrown }, "vouchers could not be looked through");
      });
      await clock.sleep(limits.withdrawEveryMs, AbortSignal.any([signal, closingSeen.signal])).catch(() => {});
    }
  }

  /** First what was begun: whether it happened decides what is left to return. */
  async function returnBalances(signal: AbortSignal): Promise<void> {
    const { recovery } = payments;
    if (await recovery?.isWaiting()) await inTurn(() => withWallet(signal, async (turn) => recovery?.recover(turn)));
    await payments.expire(signal);
  }

  const listing = { readOffer: (id: number) => readOffer(chain, id), sender, logger };

  async function unlist(): Promise<void> {
    const limit = AbortSignal.timeout(UNLIST_MS);
    for (const { providerId } of offers) {
      if (providerId === undefined) continue;
      const taken = await inTurn(() => withWallet(limit, () => setActive(listing, providerId, false)));
      if (taken) await listed.clear(providerId);
    }
  }

  const listed = createListedMarks(db, domain.chainId);
  const registration = {
    listedOf: listed.of,
    listOffers: () => listWalletOffers(chain, owner),
    sender,
    owner,
    signer: signer.address,
    logger,
  };

  /** An offer is listed only once its engine can serve it. */
  async function open(offer: ServedOffer, endpoint: string, signal: AbortSignal): Promise<void> {
    assertUsable(offer.terms, offer.backend);
    if (!offer.checked) await offer.backend.check(signal);
    offer.checked = true;
    const taken = new Set(offers.map((other) => other.providerId).filter((id) => id !== undefined));
    if (offer.providerId !== undefined) return;
    const { id, active } = await withWallet(signal, () => registerOffer(registration, { ...offer.terms, endpoint }, taken));
    await listed.set(id);
    offer.active = active;
    offer.providerId = id;
  }

  async function openAll(ownUrl: string, signal: AbortSignal): Promise<AppError | undefined> {
    let failed: AppError | undefined;
    for (const [index, offer] of offers.entries()) {
      const endpoint = options.offers[index]?.endpoint ?? ownUrl;
      const error = await firstTry(`offer ${offer.terms.model}`, signal, () => inTurn(() => open(offer, endpoint, signal)));
      failed ??= error;
    }
    return failed;
  }

  /** One wallet, one registration at a time: the next one must see what the one before has done. */
  let turn: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work, work);
    turn = result.catch(() => {});
    return result;
  }

  /** B-049: an operator sees in the log what the wallet has. */
  async function logBalance(): Promise<void> {
    const balance = await chain.client.getBalance({ address: owner });
    const fields = { payee: owner, balance: formatAmount(balance), balanceWei: String(balance), symbol: chain.network.nativeSymbol };
    logger.info(fields, "wallet balance");
  }

  return {
    app: createProviderApp(context),
    offers,
    start: async (signal, ownUrl) => {
      await firstTry("find the chain's head", signal, () => follow(signal));
      const failed = await openAll(ownUrl, signal);
      if (failed?.code === "CONFIG_INVALID") throw failed;
      if (income) {
        const loop = { everyMs: limits.withdrawEveryMs, clock, signal, logger };
        background.push(untilDone("past income", 60_000, signal, () => readPastIncome({ db, chain, payee: owner, income, signal })));
        background.push(
          runLoop({ ...loop, name: "collect income" }, (stop) => inTurn(() => withWallet(stop, (turn) => income.collect(turn)))),
        );
      }
      const { collecting } = payments;
      background.push(untilDone("channels as the chain has them", 5_000, signal, () => payments.recheck()));
      if (collecting) background.push(collectVouchers(collecting, signal));
      const balances = { name: "return balances", everyMs: Math.min(15_000, limits.payments.balanceIdleMs), clock, signal, logger };
      background.push(runLoop(balances, returnBalances));
      if (places) background.push(places.keep(signal));
      background.push(runLoop({ name: "wallet balance", everyMs: BALANCE_MS, clock, signal, logger }, logBalance));
      const hourly = { name: "purge", everyMs: 3_600_000, clock, signal, logger };
      background.push(runLoop(hourly, async () => (following ? sessions.purge() : undefined)));
    },
    setPrices: async (wanted, signal) => {
      for (const { offer, pricePerSecond } of planPrices(offers, wanted)) {
        await inTurn(() => withWallet(signal, () => changePrice(listing, offer, pricePerSecond)));
      }
    },
    withSender: (signal, work) => inTurn(() => withWallet(signal, () => work(sender))),
    drain: async (graceMs) => {
      admission.drain();
      const unlisted = limits.unlistOnStop ? unlist().catch((err) => logger.warn({ err }, "the offers are still listed")) : undefined;
      const over = new AbortController();
      await Promise.race([running.idle(), clock.sleep(graceMs, over.signal).catch(() => {})]);
      over.abort();
      cut.abort();
      await running.idle();
      await unlisted;
    },
    stopped: async () => {
      await Promise.all(background);
    },
  };
}
