import type { Offer } from "@clawcompute/lib/chain";
import { createDialer, steadyClock } from "@clawcompute/lib/node";
import { attemptLimits } from "../gateway/attempt.ts";
import type { GatewayConfig } from "../gateway/config.ts";
import type { ConnectedWallet } from "../gateway/connectWallet.ts";
import type { PaymentTransaction } from "../gateway/payment.ts";
import { createProviderClient } from "../gateway/providerClient.ts";
import { createStreamRail } from "../gateway/streams/streamRail.ts";
import { type Conversation, createConversation } from "./conversation.ts";
import type { ConversationObserver } from "./conversationTerms.ts";

export interface ConversationSetup {
  readonly config: GatewayConfig;
  readonly wallet: ConnectedWallet;
  readonly observer: ConversationObserver;
  readonly maxSpend: bigint;
  readonly seconds: number;
  readonly exactSeconds: boolean;
}

export interface OpenedConversation {
  readonly conversation: Conversation;
  /** Everything that was mined, in order. */
  readonly transactions: readonly PaymentTransaction[];
  readonly close: () => void;
}

/** A conversation paid by the wallet itself. */
export function openConversation({ config, wallet, ...terms }: ConversationSetup): OpenedConversation {
  const { chain, sender, logger } = wallet;
  const dialer = createDialer({ allowPrivate: config.allowPrivate });
  const clientOf = ({ endpoint }: Offer) => createProviderClient(endpoint, dialer);
  const limits = { ...attemptLimits, firstTokenMs: config.firstTokenSeconds * 1000 };
  const transactions: PaymentTransaction[] = [];
  const onTransaction = (transaction: PaymentTransaction) => void transactions.push(transaction);
  const rail = createStreamRail({ chain, sender, signer: sender.account, clientOf, limits, clock: steadyClock, logger, onTransaction });
  const conversation = createConversation({ chain, rail, clientOf, limits, clock: steadyClock, logger, ...terms });
  return { conversation, transactions, close: () => dialer.close() };
}
