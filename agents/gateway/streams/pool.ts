import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { Bill } from "../bill.ts";
import type { Budget, DepositHold } from "../budget/budget.ts";
import { SHORTEST_SECONDS } from "../quote.ts";
import { classify } from "../selection/faults.ts";
import type { Cover, Ending, Rail, Rails } from "./cover.ts";

export interface PoolPolicy {
  /** What a new cover's deposit covers, and what a top-up adds. */
  readonly depositSeconds: number;
  /** The most that one deposit may be, raw units. */
  readonly maxDeposit: bigint;
  /** Covers that are not ended yet. */
  readonly maxCovers: number;
  /** An unused stream is ended after this time: the chain's clock runs on, and a keeper may make it final. */
  readonly idleMs: number;
  /** An unused channel: it costs nothing, but holds the deposit. */
  readonly channelIdleMs: number;
  /** A request is not begun with less runway than this. */
  readonly minRunwayMs: number;
  /** How long a request may wait for a cover. */
  readonly openWithinMs: number;
}

/** What became of a cover's money; for accounting. */
export interface PoolObserver {
  opened(cover: Cover, from: Cover | undefined): void;
  toppedUp(cover: Cover): void;
  ended(cover: Cover, ending: Ending): void;
  /** An opening whose outcome is not known: it may be on the chain, now or later. */
  uncertain(offer: Offer, hold: DepositHold, error: AppError): void;
}

/** A cover with one request on it. */
export interface Taken {
  readonly cover: Cover;
  /** The request is over; once. */
  release(): void;
}

export type CoverPhase = "opening" | "open" | "ending";

/** The covers that are open now, one for each provider, shared by all requests and clients. */
export interface Pool {
  isWarm(providerId: number): boolean;
  /**
   * A cover with this request on it, opened, waited for or topped up when needed. Throws the offer's or the chain's refusal,
   * SPENDING_PAUSED, BUDGET_EXCEEDED or ABORTED.
   */
  take(offer: Offer, signal: AbortSignal): Promise<Taken>;
  /** Nothing new is sent with it. `movable`: nobody will sign anything, so what is left may go straight to the next provider. */
  retire(cover: Cover, movable?: boolean): void;
  /** A stream may be on the chain that is not listed yet. */
  isOpening(): boolean;
  /** One look at runways and idle times. */
  tick(): Promise<void>;
  list(): readonly { readonly cover: Cover; readonly phase: CoverPhase; readonly idleMs: number; readonly holdWei: bigint }[];
  /** Ends what is open now; requests on it end as when money runs out, and later ones open anew. */
  endOpen(): Promise<void>;
  /** Ends everything for good; resolves when the chain has it. */
  endAll(): Promise<void>;
}

interface Slot {
  readonly offer: Offer;
  /** Known as soon as the cover is. */
  rail: Rail | undefined;
  phase: CoverPhase;
  cover: Cover | undefined;
  hold: DepositHold;
  /** While it opens or is topped up. */
  busy: Promise<void> | undefined;
  ending: Promise<void> | undefined;
  /** Nothing new is sent with it. */
  retired: boolean;
  /** What is left may go to another provider. */
  movable: boolean;
  idleSinceMs: number;
  endFailedAtMs: number | undefined;
}

export interface PoolOptions {
  readonly rails: Rails;
  readonly budget: Budget;
  /** What a bill takes from the budget. */
  readonly spentOf: (bill: Pick<Bill, "paidWei" | "feeWei">) => bigint;
  readonly policy: PoolPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: PoolObserver;
}

/** A stranded cover waits this long for a request that it could be moved to. */
const STRANDED_MS = 2_000;
const RETRY_END_MS = 10_000;

export function createPool({ rails, budget, spentOf, policy, clock, logger, observer }: PoolOptions): Pool {
  const slots = new Set<Slot>();
  let closing = false;

  const slotOf = (providerId: number) =>
    [...slots].find(({ offer, phase, retired }) => offer.id === providerId && phase !== "ending" && !retired);
  const railOf = ({ rail }: Slot): Rail => {
    if (!rail) throw new AppError("INTERNAL", "A cover without a rail.");
    return rail;
  };
  const isIdle = (slot: Slot) => slot.phase === "open" && !slot.busy && slot.cover?.uses === 0;

  /** The deposit for an offer within every limit, in seconds. */
  function secondsFor({ pricePerSecond, id }: Offer): number {
    const most = budget.room() < policy.maxDeposit ? budget.room() : policy.maxDeposit;
    const fits = most / pricePerSecond;
    const seconds = fits < BigInt(policy.depositSeconds) ? Number(fits) : policy.depositSeconds;
    if (seconds >= Math.min(SHORTEST_SECONDS, policy.depositSeconds)) return seconds;
    const needed = pricePerSecond * BigInt(SHORTEST_SECONDS);
    if (needed > policy.maxDeposit) {
      throw new AppError("DEPOSIT_ABOVE_LIMIT", `${SHORTEST_SECONDS} s of provider ${id} cost more than one deposit may be.`, {
        facts: { providerId: id, neededWei: String(needed), maxDepositWei: String(policy.maxDeposit) },
        hint: "Choose a cheaper provider, or raise MAX_DEPOSIT.",
      });
    }
    budget.holdDeposit(needed).settle(0n); // throws the reason
    return SHORTEST_SECONDS;
  }

  /** Frees what unused covers hold, when a new one would not fit. */
  async function makeRoom(offer: Offer, signal: AbortSignal): Promise<void> {
    const needed = offer.pricePerSecond * BigInt(SHORTEST_SECONDS);
    while (slots.size >= policy.maxCovers || budget.room() < needed) {
      const idle = [...slots].filter(isIdle).sort((a, b) => a.idleSinceMs - b.idleSinceMs)[0];
      const going = [...slots].find(({ ending }) => ending)?.ending;
      if (idle) end(idle);
      else if (!going) break;
      await abortable(idle?.ending ?? going ?? Promise.resolve(), signal);
    }
    if (slots.size < policy.maxCovers) return;
    throw new AppError("SPENDING_PAUSED", `All ${policy.maxCovers} streams that may be open at once are in use.`, {
      facts: { maxStreams: policy.maxCovers },
      retryAfterSeconds: 2,
    });
  }

  function openSlot(offer: Offer): void {
    const stranded = [...slots].find((slot) => slot.phase === "open" && slot.movable && isIdle(slot) && canMove(slot, offer));
    if (!stranded && slots.size >= policy.maxCovers) return;
    const seconds = stranded ? 0 : secondsFor(offer);
    const hold = stranded ? stranded.hold : budget.holdDeposit(offer.pricePerSecond * BigInt(seconds));
    const slot: Slot = {
      offer,
      rail: stranded?.rail,
      phase: "opening",
      cover: undefined,
      hold,
      busy: undefined,
      ending: undefined,
      retired: false,
      movable: false,
      idleSinceMs: clock.now(),
      endFailedAtMs: undefined,
    };
    slots.add(slot);
    slot.busy = begin(slot, seconds, stranded).finally(() => {
      slot.busy = undefined;
    });
    slot.busy.catch(() => {});
  }

  function canMove({ cover, offer: from }: Slot, to: Offer): boolean {
    if (!cover || from.id === to.id) return false;
    const left = (BigInt(Math.floor(cover.runwayMs())) * cover.ratePerSecond) / 1000n;
    return left >= to.pricePerSecond * BigInt(SHORTEST_SECONDS);
  }

  async function begin(slot: Slot, seconds: number, stranded: Slot | undefined): Promise<void> {
    try {
      slot.cover = (stranded && (await moveFrom(stranded, slot))) ?? (await openNew(slot, stranded ? undefined : seconds));
    } catch (thrown) {
      slots.delete(slot);
      const error = AppError.from(thrown);
      if (error.code === "TRANSACTION_UNCERTAIN") observer.uncertain(slot.offer, slot.hold, error);
      // What may have been sent keeps its hold: the money may be gone.
      else if (!stranded || slot.hold !== stranded.hold) slot.hold.settle(0n);
      throw error;
    }
    try {
      await railOf(slot).connect(slot.cover);
      slot.phase = "open";
      slot.idleSinceMs = clock.now();
    } catch (thrown) {
      end(slot);
      throw thrown;
    }
  }

  /** Without seconds it is what a failed move leaves: the hold is still to be taken. */
  async function openNew(slot: Slot, seconds: number | undefined): Promise<Cover> {
    const covered = seconds ?? secondsFor(slot.offer);
    if (seconds === undefined) slot.hold = budget.holdDeposit(slot.offer.pricePerSecond * BigInt(covered));
    slot.rail = await rails.choose(slot.offer);
    const cover = await slot.rail.open(slot.offer, covered);
    observer.opened(cover, undefined);
    return cover;
  }

  /** Undefined when the chain refused the move; then the old cover is being ended. */
  async function moveFrom(stranded: Slot, slot: Slot): Promise<Cover | undefined> {
    const from = stranded.cover as Cover;
    const rail = railOf(stranded);
    stranded.phase = "ending";
    let cover: Cover;
    try {
      cover = await (rail as Required<Rail>).move(from, slot.offer);
    } catch (thrown) {
      stranded.phase = "open";
      stranded.movable = false;
      end(stranded);
      if (classify(AppError.from(thrown)) === "offer") return undefined;
      throw thrown;
    }
    slots.delete(stranded);
    const bill = await rail.bill(from);
    slot.hold = budget.holdMoved(stranded.hold, spentOf(bill), cover.depositWei);
    observer.ended(from, { bill, servedMs: undefined });
    observer.opened(cover, from);
    return cover;
  }

  function end(slot: Slot): void {
    if (slot.ending || !slot.cover) return;
    const { cover } = slot;
    slot.phase = "ending";
    slot.ending = (async () => {
      try {
        const ending = await railOf(slot).end(cover);
        slots.delete(slot);
        const { bill, closing } = ending;
        const rest = closing && budget.adopt(closing.mostWei);
        slot.hold.settle(spentOf(bill));
        observer.ended(cover, ending);
        closing?.bill.then((last) => {
          rest?.settle(spentOf({ paidWei: last.paidWei, feeWei: last.feeWei - bill.feeWei }));
          observer.ended(cover, { bill: last, servedMs: undefined });
        });
      } catch (thrown) {
        logger.error({ err: thrown, coverId: cover.id }, "a stream could not be ended; trying again");
        slot.endFailedAtMs = clock.now();
      } finally {
        slot.ending = undefined;
      }
    })();
  }

  function topUp(slot: Slot): Promise<void> {
    const cover = slot.cover as Cover;
    slot.busy ??= (async () => {
      const seconds = secondsFor({ ...slot.offer, pricePerSecond: cover.ratePerSecond });
      const wei = cover.ratePerSecond * BigInt(seconds);
      slot.hold.grow(wei);
      await railOf(slot)
        .topUp(cover, seconds)
        .catch((thrown: unknown) => {
          if (AppError.from(thrown).code !== "TRANSACTION_UNCERTAIN") slot.hold.shrink(wei);
          throw thrown;
        });
      observer.toppedUp(cover);
    })().finally(() => {
      slot.busy = undefined;
    });
    return slot.busy;
  }

  return {
    isWarm: (providerId) => {
      const slot = slotOf(providerId);
      return slot?.phase === "open";
    },

    take: async (offer, signal) => {
      const deadline = AbortSignal.timeout(policy.openWithinMs);
      const either = AbortSignal.any([signal, deadline]);
      try {
        for (;;) {
          if (closing) throw new AppError("DRAINING", "This gateway is stopping.");
          signal.throwIfAborted();
          const slot = slotOf(offer.id);
          if (slot?.phase === "open" && slot.cover) {
            const { cover } = slot;
            if (cover.runwayMs() >= policy.minRunwayMs) return { cover, release: cover.use() };
            const refused = await abortable(
              topUp(slot).then(
                () => undefined,
                (thrown: unknown) => AppError.from(thrown),
              ),
              either,
            );
            // Too short and not to be prolonged: a new one may fit where this one's money comes back.
            if (refused || cover.runwayMs() < policy.minRunwayMs) retire(slot, false);
            continue;
          }
          if (slot?.busy) {
            await abortable(slot.busy, either);
            continue;
          }
          await makeRoom(offer, either);
          if (!slotOf(offer.id)) openSlot(offer);
        }
      } catch (thrown) {
        if (signal.aborted) throw new AppError("ABORTED", "Stopped on request.", { cause: signal.reason });
        if (deadline.aborted) throw new AppError("PROVIDER_TIMEOUT", `No stream was open within ${policy.openWithinMs} ms.`);
        throw thrown;
      }
    },

    isOpening: () => [...slots].some(({ cover }) => cover === undefined),

    retire: (cover, movable = false) => {
      const slot = [...slots].find((candidate) => candidate.cover === cover);
      if (slot?.phase === "open") retire(slot, movable && railOf(slot).move !== undefined);
    },

    tick: async () => {
      for (const rail of rails.all) if ([...slots].some((slot) => slot.phase === "open" && slot.rail === rail)) await rail.tick();
      const now = clock.now();
      for (const slot of [...slots]) {
        const { cover, phase } = slot;
        if (!cover) continue;
        if (phase === "ending") {
          if (!slot.ending && !slot.busy && slot.endFailedAtMs !== undefined && now - slot.endFailedAtMs >= RETRY_END_MS) end(slot);
          continue;
        }
        if (phase !== "open" || slot.busy) continue;
        if (cover.uses > 0) {
          slot.idleSinceMs = now;
          if (!slot.retired && cover.runwayMs() < policy.depositSeconds * 500) {
            topUp(slot).catch((thrown: unknown) => {
              logger.warn({ coverId: cover.id, code: AppError.from(thrown).code }, "the stream is not prolonged");
            });
          }
        } else if (closing || now - slot.idleSinceMs >= patienceMs(slot)) end(slot);
      }
    },

    list: () =>
      [...slots].flatMap((slot) => {
        const { cover, phase, hold } = slot;
        return cover ? [{ cover, phase, idleMs: cover.uses > 0 ? 0 : clock.now() - slot.idleSinceMs, holdWei: hold.wei }] : [];
      }),

    endOpen: async () => {
      for (const slot of slots) if (slot.phase === "open") end(slot);
      await Promise.allSettled([...slots].map(({ ending }) => ending));
    },

    endAll: async () => {
      closing = true;
      for (;;) {
        for (const slot of slots) if (slot.phase === "open") end(slot);
        const waiting = [...slots].flatMap(({ busy, ending }) => [busy, ending]).filter((work) => work !== undefined);
        if (waiting.length === 0) return;
        await Promise.allSettled(waiting);
      }
    },
  };

  function patienceMs({ retired, movable, cover }: Slot): number {
    if (movable) return STRANDED_MS;
    if (retired) return 0;
    return cover?.kind === "channel" ? policy.channelIdleMs : policy.idleMs;
  }

  function retire(slot: Slot, movable: boolean): void {
    slot.retired = true;
    slot.movable = movable;
    slot.idleSinceMs = clock.now();
    if (!movable && slot.cover?.uses === 0) end(slot);
  }
}

/** The work goes on; only the waiting ends. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
