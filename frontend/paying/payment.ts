import type { Chain, Offer } from "@clawcompute/lib/chain";
import type { Domain, SignedReceipt } from "@clawcompute/lib/protocol";
import type { Address, Hash } from "viem";
import type { ChatEvents, ChatQuestion } from "./providerApi.ts";
import type { Wallet } from "./walletCall.ts";

/** What pays for a conversation; JSON-safe, so that it survives a reload. Times are unix seconds of the chain. */
export interface Payment {
  readonly kind: "stream" | "channel";
  readonly id: string;
  readonly providerId: number;
  readonly model: string;
  readonly endpoint: string;
  readonly signers: readonly Address[];
  /** Zero address: the native coin. */
  readonly asset: Address;
  /** Decimal raw units. */
  readonly ratePerSecond: string;
  readonly deposit: string;
  readonly start: number;
  /** When the deposit has run out by the chain's clock; undefined where no clock runs. */
  readonly end: number | undefined;
  readonly token: string;
}

export interface Ending {
  /** Cancelled: by a stream's clock. Withdrawn: from a channel, after its notice. */
  readonly kind: "settled" | "cancelled" | "withdrawn" | "gone";
  readonly asset: Address;
  readonly paid: bigint;
  readonly refunded: bigint;
  readonly hash: Hash | undefined;
  /** The provider signed for more time than was measured here. Its claim was taken only because the clock's would have been higher still. */
  readonly overclaimed: boolean;
}

export interface Payer {
  readonly chain: Chain;
  readonly wallet: Wallet;
}

/** What a person is being asked for, in order. */
export type OpeningStep = "allowing" | "opening" | "signing";

/** What the payer itself knows about an answer, against which a receipt is checked. */
export interface OwnMeasure {
  readonly measuredMs: number;
  readonly previousServedMs: number;
  /** Undefined when an answer before this one broke off without a receipt. */
  readonly previousReceiptHash: Hash | undefined;
}

export interface Opened<P extends Payment = Payment> {
  readonly payment: P;
  /** Where the payment's receipts stand; zero for a new one. */
  readonly servedMs: number;
  readonly lastReceiptHash: Hash;
}

/** One way to pay a provider. A conversation knows nothing else about money. */
export interface PaymentWay<P extends Payment = Payment> {
  readonly kind: P["kind"];
  /** As the choice in the terms names it, and what it means in one sentence. */
  readonly name: string;
  readonly meaning: string;
  canPay(offer: Offer): boolean;
  /** In which this way's receipts are signed. */
  domain(chain: Chain): Domain;
  /** The most that a provider costs which takes the deposit and never answers. */
  worstLoss(chain: Chain, offer: Offer, seconds: number): bigint;
  /** Gas of opening, in units; undefined when it cannot be told before (an allowance is missing). */
  openingGas(payer: Payer, offer: Offer, seconds: number): Promise<bigint | undefined>;
  /** At most one transaction and one signature (and an allowance for tokens without permits). */
  open(payer: Payer, offer: Offer, seconds: number, on: (step: OpeningStep) => void): Promise<Opened<P>>;
  /** Sends a question; what is paid while the answer comes (vouchers, say) is this way's business. */
  ask(chain: Chain, payment: P, question: ChatQuestion, signal: AbortSignal): Promise<ChatEvents>;
  /** The receipt after every check of rule R10. Throws PROVIDER_DISHONEST naming the first lie. */
  verify(chain: Chain, payment: P, answer: { readonly signed: unknown; readonly bodyHash: Hash }, own: OwnMeasure): Promise<SignedReceipt>;
  /** Pays what is owed, brings the rest back. `mostMs` is what was measured here; without a measure, the largest safe integer. */
  end(payer: Payer, payment: P, mostMs: number): Promise<Ending>;
  /** Whether it still pays, as the chain has it. */
  isOpen(chain: Chain, payment: P): Promise<boolean>;
}
