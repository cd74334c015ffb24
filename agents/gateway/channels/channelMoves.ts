import { randomBytes } from "node:crypto";
import { type Chain, type ContractCall, channelWrites, type Offer, type Sender, type SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { type ChannelTerms, channelIdOf, paymentOfChannel } from "@clawcompute/lib/protocol/payments";
import { type Address, type Hex, toHex } from "viem";
import { type Bill, costsOf } from "../bill.ts";
import { createSend, type PaymentTransaction, type TransactionKind } from "../payment.ts";
import { readChannelLedger } from "./ownChannels.ts";

/** A channel of ours, as the chain has it. */
export interface OpenChannel {
  readonly id: Hex;
  readonly terms: ChannelTerms;
  /** Raw units. */
  readonly deposit: bigint;
  readonly openBlock: bigint;
  /** When this side learned of it, by the local clock. */
  readonly openedAtMs: number;
}

/** The payer's transactions on one channel; the wallet's key signs these and nothing else. */
export interface ChannelMoves {
  /** Everything that was mined, in order. */
  readonly transactions: readonly PaymentTransaction[];
  open(offer: Offer, deposit: bigint, authorizedSigner: Address): Promise<OpenChannel>;
  topUp(channel: OpenChannel, amount: bigint): Promise<OpenChannel>;
  /** Begins the notice after which `withdraw` works. */
  requestClose(id: Hex): Promise<void>;
  withdraw(id: Hex): Promise<void>;
  /** What the chain's events say of the channel so far, and the gas of these moves. */
  bill(channel: Pick<OpenChannel, "id" | "openBlock">): Promise<Bill & { readonly closed: boolean }>;
}

export interface ChannelMovesOptions {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onTransaction: (transaction: PaymentTransaction) => void;
}

export function createChannelMoves({ chain, sender, clock, logger, onTransaction }: ChannelMovesOptions): ChannelMoves {
  const transactions: PaymentTransaction[] = [];
  const sendAgain = createSend({ sender, logger });
  const send = async (kind: TransactionKind, id: Hex, call: ContractCall): Promise<SentTransaction> => {
    const transaction: PaymentTransaction = { kind, streamId: paymentOfChannel(id), sent: await sendAgain(kind, call) };
    transactions.push(transaction);
    onTransaction(transaction);
    return transaction.sent;
  };

  return {
    transactions,
    open: async ({ owner: payee, asset: token }, deposit, authorizedSigner) => {
      const terms: ChannelTerms = { payer: sender.account.address, payee, token, salt: toHex(randomBytes(32)), authorizedSigner };
      const id = channelIdOf({ chainId: chain.network.chainId, verifyingContract: chain.network.contracts.paymentChannel }, terms);
      const sent = await send("open", id, channelWrites.open({ ...terms, deposit }));
      return { id, terms, deposit, openBlock: sent.blockNumber, openedAtMs: clock.now() };
    },
    topUp: async (channel, amount) => {
      await send("topUp", channel.id, channelWrites.topUp({ id: channel.id, token: channel.terms.token, additionalDeposit: amount }));
      return { ...channel, deposit: channel.deposit + amount };
    },
    requestClose: async (id) => void (await unlessClosed(() => send("requestClose", id, channelWrites.requestClose(id)))),
    withdraw: async (id) => void (await unlessClosed(() => send("withdraw", id, channelWrites.withdraw(id)))),
    bill: async ({ id, openBlock }) => {
      const { deposit, paid, refunded, closed } = await readChannelLedger(chain, id, openBlock);
      return {
        depositWei: deposit,
        paidWei: paid,
        refundedWei: refunded,
        ...costsOf(chain, transactions),
        closed,
      };
    },
  };
}

/** The payee was quicker: what the payer wanted has happened. */
async function unlessClosed(send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (thrown) {
    const { code, facts } = AppError.from(thrown);
    const closed = "PAYMENT_CHANNEL_CHANNEL_FINALIZED";
    if (code !== closed && !(code === "TRANSACTION_REVERTED" && facts.reason === closed)) throw thrown;
  }
}
