import { randomBytes } from "node:crypto";
import {
  type Chain,
  type ContractCall,
  channelWrites,
  decodeRevert,
  type Offer,
  type Sender,
  type SentTransaction,
} from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { type ChannelTerms, channelIdOf, paymentOfChannel } from "@clawcompute/lib/protocol/payments";
import { type Abi, type Address, erc20Abi, type Hex, toHex } from "viem";
import { isNative } from "../asset.ts";
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
  /** One deposit in a token after the other: each has its own allowance. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
}

export function createChannelMoves({
  chain,
  sender,
  clock,
  logger,
  onTransaction,
  inTurn = (work) => work(),
}: ChannelMovesOptions): ChannelMoves {
  const transactions: PaymentTransaction[] = [];
  const sendAgain = createSend({ sender, logger });
  const send = async (kind: TransactionKind, id: Hex, call: ContractCall): Promise<SentTransaction> => {
    const transaction: PaymentTransaction = { kind, streamId: paymentOfChannel(id), sent: await sendAgain(kind, call) };
    transactions.push(transaction);
    onTransaction(transaction);
    return transaction.sent;
  };

  /** Lets the escrow take exactly this much of a token, and then take it. Throws WALLET_UNFUNDED before anything is sent. */
  async function deposit<T>(id: Hex, token: Address, amount: bigint, take: () => Promise<T>): Promise<T> {
    if (isNative({ address: token })) return take();
    return inTurn(async () => {
      const escrow = chain.network.contracts.paymentChannel;
      const contract = { address: token, abi: erc20Abi } as const;
      const own = sender.account.address;
      const [held, allowed] = await Promise.all([
        chain.client.readContract({ ...contract, functionName: "balanceOf", args: [own] }),
        chain.client.readContract({ ...contract, functionName: "allowance", args: [own, escrow] }),
      ]).catch((thrown: unknown) => {
        throw decodeRevert(thrown);
      });
      if (held < amount) {
        throw new AppError("WALLET_UNFUNDED", "The wallet holds less of the token than the deposit.", {
          facts: { asset: token, held: String(held), needed: String(amount) },
          hint: "Send the token to this wallet, or deposit for less time.",
        });
      }
      const approve = (value: bigint) =>
        send("approve", id, { contract: token, abi: erc20Abi as Abi, functionName: "approve", args: [escrow, value] });
      // Some tokens change an allowance only from or to nothing.
      if (allowed > 0n && allowed < amount) await approve(0n);
      if (allowed < amount) await approve(amount);
      return take();
    });
  }

  return {
    transactions,
    open: async ({ owner: payee, asset: token }, amount, authorizedSigner) => {
      const terms: ChannelTerms = { payer: sender.account.address, payee, token, salt: toHex(randomBytes(32)), authorizedSigner };
      const id = channelIdOf({ chainId: chain.network.chainId, verifyingContract: chain.network.contracts.paymentChannel }, terms);
      const sent = await deposit(id, token, amount, () => send("open", id, channelWrites.open({ ...terms, deposit: amount })));
      return { id, terms, deposit: amount, openBlock: sent.blockNumber, openedAtMs: clock.now() };
    },
    topUp: async (channel, amount) => {
      const { id, terms } = channel;
      const { token } = terms;
      await deposit(id, token, amount, () => send("topUp", id, channelWrites.topUp({ id, token, additionalDeposit: amount })));
      return { ...channel, deposit: channel.deposit + amount };
    },
    requestClose: async (id) => void (await unlessClosed(() => send("requestClose", id, channelWrites.requestClose(id)))),
    withdraw: async (id) => void (await unlessClosed(() => send("withdraw", id, channelWrites.withdraw(id)))),
    bill: async ({ id, openBlock }) => {
      const ledger = await readChannelLedger(chain, id, openBlock);
      return {
        depositWei: ledger.deposit,
        paidWei: ledger.paid,
        refundedWei: ledger.refunded,
        ...costsOf(chain, transactions),
        closed: ledger.closed,
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
