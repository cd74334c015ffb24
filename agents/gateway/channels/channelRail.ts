import { type Chain, type Offer, readChannel, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { coveredMsDown } from "@clawcompute/lib/money";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { SseEvent } from "@clawcompute/lib/protocol";
import { type Challenge, createExposure, createVouchers, type Exposure, type Vouchers } from "@clawcompute/lib/protocol/payments";
import type { Hex } from "viem";
import type { AttemptLimits } from "../attempt.ts";
import type { PaymentTransaction } from "../payment.ts";
import type { ChatStream, Proof, ProviderClient } from "../providerClient.ts";
import type { Cover, Ending, Rail } from "../streams/cover.ts";
import { verifyChannelReceipt } from "../verify.ts";
import { type ChannelMoves, createChannelMoves, type OpenChannel } from "./channelMoves.ts";
import { askTerms, type ChannelWire, createChannelWire, isUnseen } from "./channelWire.ts";
import type { Closings } from "./closings.ts";
import type { VoucherKey } from "./voucherKey.ts";

export interface ChannelRail extends Rail {
  /** Whether the provider takes vouchers for this offer, at its price and in steps that this side accepts. Never throws. */
  accepts(offer: Offer): Promise<boolean>;
}

export interface ChannelRailOptions {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly voucherKey: () => Promise<VoucherKey>;
  readonly clientOf: (offer: Offer) => ProviderClient;
  readonly closings: Closings;
  readonly limits: AttemptLimits;
  /** How far signatures may be ahead of what was served (P4), as time at the channel's rate. */
  readonly stepMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A transaction was mined. */
  readonly onTransaction: (transaction: PaymentTransaction) => void;
}

interface Parts {
  channel: OpenChannel;
  readonly wire: ChannelWire;
  readonly moves: ChannelMoves;
  readonly exposure: Exposure;
  readonly vouchers: Vouchers;
}

/** What a provider said about taking vouchers is asked again after this time. */
const REMEMBER_MS = 60_000;
/** For each answer: the provider's clock starts and stops elsewhere. */
const TOLERANCE_MS = 250;
/** Between two looks whether the provider's closing is in a block. */
const LOOK_MS = 200;

/** Covers that are channels of PaymentChannel: paid by vouchers while requests run, to the millisecond. */
export function createChannelRail(options: ChannelRailOptions): ChannelRail {
  const { chain, sender, clientOf, closings, limits, stepMs, clock, logger, onTransaction } = options;
  const partsOf = new WeakMap<Cover, Parts>();
  const known = new Map<number, { readonly terms: Promise<Challenge | undefined>; readonly atMs: number }>();

  /** A token lets the contract take one amount at a time. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work);
    turn = result.catch(() => {});
    return result;
  };

  const parts = (cover: Cover): Parts => {
    const found = partsOf.get(cover);
    if (!found) throw new AppError("INTERNAL", "This cover is no channel.");
    return found;
  };

  function termsOf(offer: Offer): Promise<Challenge | undefined> {
    const last = known.get(offer.id);
    if (last && clock.now() - last.atMs < REMEMBER_MS) return last.terms;
    const terms = askTerms(chain, clientOf(offer), offer, stepMs, AbortSignal.timeout(limits.settleMs)).catch((thrown: unknown) => {
      logger.debug({ providerId: offer.id, code: AppError.from(thrown).code }, "the provider takes no vouchers");
      known.delete(offer.id);
      return undefined;
    });
    known.set(offer.id, { terms, atMs: clock.now() });
    return terms;
  }

  async function coverOf(channel: OpenChannel, offer: Offer, challenge: Challenge, moves: ChannelMoves): Promise<Cover> {
    const { pricePerSecond: ratePerSecond } = offer;
    const client = clientOf(offer);
    const key = await options.voucherKey();
    const step = (ratePerSecond * BigInt(stepMs)) / 1000n;
    const exposure = createExposure({ ratePerSecond, step, deposit: () => own.channel.deposit }, clock);
    const wire = createChannelWire({ chain, client, offer, channel, key, challenge, askMs: limits.settleMs });
    const vouchers = createVouchers({
      exposure,
      ratePerSecond,
      step,
      sign: wire.sign,
      send: async (voucher) => {
        const { spent } = await wire.voucher(voucher, AbortSignal.timeout(stepMs));
        exposure.agree(exposure.busyMs(), spent);
      },
      clock,
      logger: logger.child({ channelId: channel.id }),
    });
    const own: Parts = { channel, wire, moves, exposure, vouchers };
    let answers = 0;

    const paid = <T>(send: (proof: Proof) => Promise<T>): Promise<T> => wire.renewed(async () => send(wire.proof(await vouchers.newest())));

    /** A request that this side broke off runs on until the provider can know it: until it answers something sent afterwards. */
    function countUntilKnown(): void {
      const stop = exposure.start();
      void vouchers
        .newest()
        .then((voucher) => wire.voucher(voucher, AbortSignal.timeout(stepMs)))
        .catch(() => {})
        .finally(() => {
          stop();
          if (exposure.running === 0) vouchers.rest();
        });
    }

    async function* withoutPayments(events: AsyncIterable<SseEvent>, onEnd: () => void): AsyncGenerator<SseEvent> {
      for await (const event of events) {
        if (event.data === "[DONE]") onEnd();
        const need = wire.needed(event);
        if (need !== undefined && !vouchers.asked(need)) {
          throw new AppError("PROVIDER_DISHONEST", "The provider wants to be paid for more than it served.", {
            facts: { channelId: channel.id, asked: String(need), measured: String(exposure.owed()) },
          });
        }
        if (event.event === undefined) yield event;
      }
    }

    const cover: Cover = {
      kind: "channel",
      id: channel.id,
      offer,
      ratePerSecond,
      client,
      chat: async (request, chatOptions): Promise<ChatStream> => {
        // From now on: the first word may take longer than a step.
        vouchers.keepAhead();
        const stream = await paid((headers) => client.chat(headers, request, chatOptions));
        let ended = false;
        const events = withoutPayments(stream.events, () => {
          ended = true;
        });
        return {
          events,
          close: () => {
            stream.close();
            if (!ended) countUntilKnown();
            ended = true;
          },
        };
      },
      send: async (path, request) => {
        vouchers.keepAhead();
        return paid((headers) => client.send(headers, path, request));
      },
      get depositWei() {
        return own.channel.deposit;
      },
      openedAtMs: channel.openedAtMs,
      get uses() {
        return exposure.running;
      },
      get busyMs() {
        return exposure.busyMs();
      },
      runwayMs: () => coveredMsDown(own.channel.deposit - exposure.owed(), ratePerSecond),
      use: () => {
        answers += 1;
        const stop = exposure.start();
        return () => {
          stop();
          if (exposure.running === 0) vouchers.rest();
        };
      },
      verify: async (sent, { bodyHash, measuredMs }) => {
        const mostMs = exposure.busyMs() + TOLERANCE_MS * answers;
        const signed = await verifyChannelReceipt(chain, offer, sent, {
          channelId: channel.id,
          ratePerSecond,
          bodyHash,
          measuredMs,
          mostMs,
        });
        exposure.agree(signed.receipt.cumulativeServedMs, signed.receipt.cumulativeAmount);
        return signed;
      },
    };
    partsOf.set(cover, own);
    return cover;
  }

  /** The provider closes at exactly what it says it is owed, if this side's measure agrees. False: it did not. */
  async function closeTogether(cover: Cover): Promise<boolean> {
    const { channel, wire, exposure, vouchers } = parts(cover);
    const signal = AbortSignal.timeout(limits.settleMs + 3 * chain.network.blockTimeMs);
    try {
      const { spent } = await wire.voucher(await vouchers.newest(), signal);
      if (spent > exposure.ceiling() && spent > exposure.signed) {
        throw new AppError("PROVIDER_DISHONEST", "The provider wants to be paid for more than it served.", {
          facts: { channelId: channel.id, asked: String(spent), measured: String(exposure.owed()) },
        });
      }
      exposure.sign(spent);
      await wire.close({ cumulativeAmount: spent, signature: await wire.sign(spent) }, signal);
      while ((await readChannel(chain, channel.id)).status !== "closed") await clock.sleep(LOOK_MS, signal);
      return true;
    } catch (thrown) {
      const { code, facts } = AppError.from(thrown);
      logger.info({ channelId: channel.id, code, facts }, "the provider does not close the channel; giving notice");
      return (await readChannel(chain, channel.id)).status === "closed";
    }
  }

  return {
    kind: "channel",
    accepts: async (offer) => (await termsOf(offer)) !== undefined,
    open: async (offer, seconds) => {
      const terms = await termsOf(offer);
      if (!terms) throw new AppError("UNSUPPORTED", "The provider takes no vouchers any more.", { facts: { providerId: offer.id } });
      const moves = createChannelMoves({ chain, sender, clock, logger, onTransaction, inTurn });
      const key = await options.voucherKey();
      const channel = await moves.open(offer, offer.pricePerSecond * BigInt(seconds), key.address);
      return coverOf(channel, offer, terms, moves);
    },
    connect: async (cover) => {
      const { wire, moves, vouchers } = parts(cover);
      const hash = moves.transactions.find(({ kind }) => kind === "open")?.sent.hash as Hex;
      const deadlineMs = clock.now() + limits.firstTokenMs;
      const voucher = await vouchers.newest();
      for (;;) {
        try {
          await wire.open(hash, voucher, AbortSignal.timeout(limits.headersMs));
          return;
        } catch (thrown) {
          const error = AppError.from(thrown);
          if (!isUnseen(error)) throw error;
          if (clock.now() + limits.sessionRetryMs >= deadlineMs) {
            throw new AppError("PROVIDER_TIMEOUT", "The provider did not see the channel in time.", { cause: error });
          }
          await clock.sleep(limits.sessionRetryMs);
        }
      }
    },
    topUp: async (cover, seconds) => {
      const own = parts(cover);
      const amount = cover.ratePerSecond * BigInt(seconds);
      own.channel = await own.moves.topUp(own.channel, amount);
      const hash = own.moves.transactions.at(-1)?.sent.hash as Hex;
      await own.wire.topUp(hash, amount, AbortSignal.timeout(limits.headersMs)).catch((thrown: unknown) => {
        // It sees the chain's event too.
        logger.debug({ channelId: cover.id, code: AppError.from(thrown).code }, "the provider was not told of the top-up");
      });
    },
    end: async (cover): Promise<Ending> => {
      const { channel, moves, exposure } = parts(cover);
      const servedMs = exposure.busyMs();
      if (await closeTogether(cover)) return { bill: await moves.bill(channel), servedMs };
      const { bill } = await closings.begin(channel, moves);
      return { bill: { ...(await moves.bill(channel)), paidWei: 0n }, servedMs: undefined, closing: { mostWei: exposure.signed, bill } };
    },
    bill: (cover) => parts(cover).moves.bill(parts(cover).channel),
    tick: async () => {},
  };
}
