import type { IncomingMessage } from "node:http";
import type { Offer } from "@clawcompute/lib/chain";
import type { ChatRequest, SignedReceipt } from "@clawcompute/lib/protocol";
import type { Hex } from "viem";
import type { Bill } from "../bill.ts";
import type { ChatOptions, ChatStream, ProviderClient, SendRequest } from "../providerClient.ts";

/** What pays for requests to one provider: an open stream or channel. */
export interface Cover {
  readonly kind: "stream" | "channel";
  readonly id: string;
  readonly offer: Offer;
  /** Of this cover, whatever the offer costs by now (P11). */
  readonly ratePerSecond: bigint;
  readonly client: ProviderClient;
  /** Sends a request and pays for it. Throws while `Rail.connect` has not succeeded, and what the client throws. */
  chat(request: ChatRequest, options: ChatOptions): Promise<ChatStream>;
  send(path: string, request: SendRequest): Promise<IncomingMessage>;
  readonly depositWei: bigint;
  readonly openedAtMs: number;
  /** Requests under way. */
  readonly uses: number;
  /** Time in which at least one request was under way, by this side's stopwatch: the most that may be owed. */
  readonly busyMs: number;
  /** What the deposit still covers: of a stream by the chain's clock, of a channel by what is owed. */
  runwayMs(): number;
  /** A request begins; the returned function ends it, once. */
  use(): () => void;
  /** Every check that holds also when answers overlap. Throws PROVIDER_DISHONEST naming the first lie. */
  verify(sent: unknown, own: { readonly bodyHash: Hex; readonly measuredMs: number }): Promise<SignedReceipt>;
}

/** How a cover ended. */
export interface Ending {
  /** While `closing` is there, only what is final already. */
  readonly bill: Bill;
  /** What the provider signed for; undefined when the clock or a voucher decided. */
  readonly servedMs: number | undefined;
  readonly closing?: Closing;
}

/** A channel that its provider does not close: it ends by itself when the payer's notice is over. */
export interface Closing {
  /** The most that the provider can still take, raw units. */
  readonly mostWei: bigint;
  /** Resolves when the chain has closed it; never, if this process ends before. */
  readonly bill: Promise<Bill>;
}

/** How covers begin, last and end. Every method may take as long as the chain does. */
export interface Rail {
  readonly kind: Cover["kind"];
  /** Deposits `seconds` of the offer's price. Throws the contract's refusal, WALLET_UNFUNDED or TRANSACTION_UNCERTAIN. */
  open(offer: Offer, seconds: number): Promise<Cover>;
  /** Gets the token. The cover has to be ended when it throws. */
  connect(cover: Cover): Promise<void>;
  topUp(cover: Cover, seconds: number): Promise<void>;
  /**
   * Failover: what is left moves to another provider in one transaction. Throws the contract's refusal; the old cover is open then.
   * Absent where the escrow has no such move.
   */
  move?(cover: Cover, offer: Offer): Promise<Cover>;
  /** With the provider's signed settlement or its own closing when it gives one, else by the chain's clock or the last voucher. */
  end(cover: Cover): Promise<Ending>;
  /** Gas and events of a cover that has moved on. */
  bill(cover: Cover): Promise<Bill>;
  /** Looks at the chain's clock. */
  tick(): Promise<void>;
}

/** How a gateway pays. */
export interface Rails {
  readonly all: readonly Rail[];
  /** The one for a new cover: what the provider does not offer is not chosen. Throws UNSUPPORTED when nothing is left. */
  choose(offer: Offer): Promise<Rail>;
}
