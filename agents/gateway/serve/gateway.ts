import type { Chain, Offer, Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type AppEnv, type Clock, type Logger, type Metrics, runLoop } from "@clawcompute/lib/node";
import type { Database } from "@clawcompute/lib/store";
import type { Hono } from "hono";
import type { AttemptLimits } from "../attempt.ts";
import { makeBill } from "../bill.ts";
import type { Budget, DepositHold, SpendLimits } from "../budget/budget.ts";
import { createBudget } from "../budget/budget.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LocalEngine } from "../local/localEngine.ts";
import { endOrphan, findStreams, lookBackBlock } from "../orphans.ts";
import { createPayment } from "../payment.ts";
import type { ProviderClient } from "../providerClient.ts";
import { createCatalog } from "../selection/catalog.ts";
import type { ChoicePolicy, ChooseDeps } from "../selection/choose.ts";
import { createExperience, type Experience } from "../selection/experience.ts";
import type { Rails } from "../streams/cover.ts";
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
  readonly access: AccessOptions;
  readonly serve: ServePolicy;
  readonly limits: AttemptLimits;
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
const RENEW_AFTER_MS = 4_000;
const STALE_AFTER_MS = 60_000;

/** Puts the parts together; nothing runs before `start`. */
export function createGateway(options: GatewayOptions): Gateway {
  const { chain, sender, clock, logger, metrics, ledger, limits, local } = options;
  const { network } = chain;
  const budget = createBudget({ limits: options.spendLimits, clock, symbol: network.nativeSymbol });
  const experience = createExperience(clock);
  const catalog = createCatalog({ chain, clock, logger, renewAfterMs: RENEW_AFTER_MS, staleAfterMs: STALE_AFTER_MS });
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
  const uncertain: DepositHold[] = [];
  const rails: Rails = { all: [streams], choose: async () => streams };
  const pool = createPool({
    rails,
    budget,
    policy: options.pool,
    clock,
    logger,
    observer: {
      opened: (cover, from) => {
        logger.info(
          { streamId: cover.id, providerId: cover.offer.id, depositWei: String(cover.depositWei), from: from?.id },
          "stream opened",
        );
        ledger.opened(cover, from);
      },
      toppedUp: (cover) => {
        logger.info({ streamId: cover.id, depositWei: String(cover.depositWei) }, "stream prolonged");
        ledger.toppedUp(cover);
      },
      ended: (cover, ending) => {
        const { paidWei, refundedWei } = ending.bill;
        const facts = { paidWei: String(paidWei), refundedWei: String(refundedWei), servedMs: ending.servedMs ?? null };
        logger.info({ streamId: cover.id, providerId: cover.offer.id, ...facts }, "stream ended");
        ledger.ended(cover, ending);
      },
      uncertain: (offer, hold) => {
        logger.error({ providerId: offer.id, heldWei: String(hold.wei) }, "an opening may be on the chain; looking for it later");
        uncertain.push(hold);
      },
    },
  });
  const choose: ChooseDeps = {
    catalog,
    policy: options.choice,
    seenOf: experience.of,
    isWarm: pool.isWarm,
    now: clock.now,
    symbol: network.nativeSymbol,
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
    chat: { chain, choose, pool, budget, experience, clientOf, local, limits, clock, logger },
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
        const hold = budget.adopt(stream.ratePerSecond * BigInt(stream.end - stream.lastPaid));
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
        hold.settle(bill.paidWei + bill.feeWei);
        ledger.forgotten(ended, bill);
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
      const once = new AbortController();
      const either = AbortSignal.any([signal, once.signal]);
      if (options.endForgotten) {
        background.push(
          runLoop({ name: "forgotten streams", everyMs: 5_000, clock, signal: either, logger }, async () => {
            await endForgotten();
            settleRecovered();
            once.abort();
          }),
        );
      } else settleRecovered();
      background.push(
        runLoop({ name: "uncertain openings", everyMs: 30_000, clock, signal, logger }, async () => {
          const holds = uncertain.splice(0);
          if (holds.length === 0) return;
          try {
            await endForgotten();
            for (const hold of holds) hold.settle(0n);
          } catch (thrown) {
            uncertain.push(...holds);
            throw thrown;
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
