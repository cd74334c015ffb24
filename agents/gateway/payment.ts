import {
  type Chain,
  type ContractCall,
  type Offer,
  type Sender,
  type SentTransaction,
  streamEventsOf,
  streamPayWrites,
} from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { Settlement } from "@clawcompute/lib/protocol";
import type { Hash } from "viem";

/** A stream of ours that is open, as the chain's event told it. */
export interface OpenStream {
  readonly id: bigint;
  readonly offer: Offer;
  readonly ratePerSecond: bigint;
  /** Raw units; the rate times the seconds from start to end. */
  readonly deposit: bigint;
  /** Unix seconds, chain time. */
  readonly start: number;
  readonly end: number;
  readonly openBlock: bigint;
  /** When this side learned of it, by the local clock. */
  readonly openedAtMs: number;
}

export type TransactionKind = "approve" | "open" | "topUp" | "redirect" | "settle" | "cancel" | "requestClose" | "withdraw";

export interface PaymentTransaction {
  readonly kind: TransactionKind;
  /** The stream's number, or the channel's id as one. */
  readonly streamId: bigint;
  readonly sent: SentTransaction;
}

/** The payer's moves. Whatever happens to the request, `end` is called for the last open stream. */
export interface Payment {
  /** Everything that was mined, in order. */
  readonly transactions: readonly PaymentTransaction[];
  /** Deposits the offer's price for `seconds`. Throws the contract's refusal, WALLET_UNFUNDED or TRANSACTION_UNCERTAIN. */
  open(offer: Offer, seconds: number): Promise<OpenStream>;
  /** Deposits the stream's rate for `seconds` more. Throws the contract's refusal, WALLET_UNFUNDED or TRANSACTION_UNCERTAIN. */
  topUp(stream: OpenStream, seconds: number): Promise<OpenStream>;
  /** Failover: what is left of the deposit moves on, in one transaction. Throws the contract's refusal; the old stream is open then. */
  redirect(stream: OpenStream, offer: Offer): Promise<OpenStream>;
  /**
   * Pays what was signed as owed; without a settlement, or when the chain refuses it, what the chain's clock says. Resolves also
   * when somebody else closed the stream. Throws TRANSACTION_UNCERTAIN, or CHAIN_UNAVAILABLE when no endpoint answered for long.
   */
  end(stream: OpenStream, settlement?: Settlement): Promise<void>;
}

export interface PaymentOptions {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A hash is known before its outcome is. */
  readonly onSent?: (kind: TransactionKind, hash: Hash) => void;
  /** How long an unreachable chain is tried when a stream must be ended. Default 60 s. */
  readonly endWithinMs?: number;
}

const MAX_SENDS = 5;

export function createPayment({ chain, sender, clock, logger, onSent, endWithinMs = 60_000 }: PaymentOptions): Payment {
  const transactions: PaymentTransaction[] = [];

  const send = createSend({ sender, logger, ...(onSent ? { onSent } : {}) });
  const begin = async (kind: "open" | "redirect", call: ContractCall, offer: Offer): Promise<OpenStream> => {
    const sent = await send(kind, call).catch((thrown: unknown) => {
      const error = AppError.from(thrown);
      if (error.code !== "TRANSACTION_UNCERTAIN") throw error;
      const hint = "It may still open a stream: run `claw stop` in a minute, which ends it.";
      throw new AppError(error.code, error.message, { facts: error.facts, hint, cause: error });
    });
    const stream = createdIn(sent, offer);
    transactions.push({ kind, streamId: stream.id, sent });
    return stream;
  };
  const finish = async (kind: "topUp" | "settle" | "cancel", call: ContractCall, { id }: OpenStream): Promise<void> => {
    transactions.push({ kind, streamId: id, sent: await send(kind, call) });
  };
  const createdIn = (sent: SentTransaction, offer: Offer): OpenStream => {
    const event = streamEventsOf(sent.receipt, chain).find((found) => found.eventName === "StreamCreated");
    if (event?.eventName !== "StreamCreated") throw new AppError("INTERNAL", "The opening transaction carries no StreamCreated event.");
    const { id, ratePerSecond, start, end } = event.args;
    return {
      id,
      offer,
      ratePerSecond,
      deposit: ratePerSecond * (end - start),
      start: Number(start),
      end: Number(end),
      openBlock: sent.blockNumber,
      openedAtMs: clock.now(),
    };
  };

  const endOnce = async (stream: OpenStream, settlement: Settlement | undefined): Promise<void> => {
    if (settlement) {
      const { owed, signature } = settlement;
      try {
        return await finish("settle", streamPayWrites.settleStream({ id: stream.id, owed, signature }), stream);
      } catch (thrown) {
        const error = AppError.from(thrown);
        if (!isRefusal(error)) throw error;
        logger.warn({ streamId: String(stream.id), code: error.code }, "the settlement was refused; cancelling instead");
      }
    }
    await finish("cancel", streamPayWrites.cancelStream(stream.id), stream);
  };

  return {
    transactions,
    open: (offer, seconds) => {
      const { id: providerId, owner: recipient, serviceType, pricePerSecond } = offer;
      const value = pricePerSecond * BigInt(seconds);
      const call = streamPayWrites.createStream({ recipient, durationSeconds: seconds, serviceType, providerId, value });
      return begin("open", call, offer);
    },
    topUp: async (stream, seconds) => {
      const value = stream.ratePerSecond * BigInt(seconds);
      const call = streamPayWrites.topUpStream({ id: stream.id, payer: sender.account.address, recipient: stream.offer.owner, value });
      await finish("topUp", call, stream);
      return { ...stream, deposit: stream.deposit + value, end: stream.end + seconds };
    },
    redirect: (stream, offer) => {
      // The next provider may be dearer: the limit makes sure that it is not dearer than it was a moment ago.
      const plain = streamPayWrites.redirectStream({ id: stream.id, recipient: offer.owner, providerId: offer.id });
      const call: ContractCall = { ...plain, args: [...plain.args, offer.pricePerSecond] };
      return begin("redirect", call, offer);
    },
    end: async (stream, settlement) => {
      const giveUpAt = clock.now() + endWithinMs;
      for (let wait = 250; ; wait = Math.min(4_000, wait * 2)) {
        try {
          return await endOnce(stream, settlement);
        } catch (thrown) {
          const error = AppError.from(thrown);
          if (isClosed(error)) return;
          // Only what certainly was not sent is tried again.
          if (error.code !== "CHAIN_UNAVAILABLE" || clock.now() >= giveUpAt) throw error;
          logger.warn({ streamId: String(stream.id), code: error.code }, "cannot end the stream yet; trying again");
          await clock.sleep(wait);
        }
      }
    },
  };
}

/** Sends once more when another program with the same wallet was quicker: then this one certainly did not happen. */
export function createSend({ sender, logger, onSent }: Pick<PaymentOptions, "sender" | "logger" | "onSent">) {
  // No abort signal: an opening that may have been sent has to be followed to its end, because the stream must be ended.
  return async (kind: TransactionKind, call: ContractCall): Promise<SentTransaction> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await sender.send(call, { onSent: (hash) => onSent?.(kind, hash) });
      } catch (thrown) {
        if (AppError.from(thrown).code !== "TRANSACTION_REPLACED" || tries >= MAX_SENDS) throw thrown;
        logger.info({ kind, tries }, "the nonce went to another program; sending again");
      }
    }
  };
}

/** The contract said no, in a simulation or in a block; nothing moved. */
function isRefusal(error: AppError): boolean {
  return !isClosed(error) && (error.code.startsWith("STREAM_PAY_") || error.code === "TRANSACTION_REVERTED");
}

/** Somebody else closed it first: a keeper after its end, or the payee. */
function isClosed({ code, facts }: AppError): boolean {
  return code === "STREAM_PAY_UNKNOWN_STREAM" || (code === "TRANSACTION_REVERTED" && facts.reason === "STREAM_PAY_UNKNOWN_STREAM");
}
