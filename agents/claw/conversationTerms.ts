import type { Chain, Offer } from "@clawcompute/lib/chain";
import type { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { SignedReceipt } from "@clawcompute/lib/protocol";
import type { AttemptLimits } from "../gateway/attempt.ts";
import type { ProviderClient } from "../gateway/providerClient.ts";
import type { Quote } from "../gateway/quote.ts";
import type { Cover, Ending, Rail } from "../gateway/streams/cover.ts";

/** What happens, as it happens. */
export interface ConversationObserver {
  quote(quote: Quote): void;
  opened(cover: Cover): void;
  toppedUp(cover: Cover, seconds: number): void;
  requested(cover: Cover): void;
  text(text: string): void;
  failed(offer: Offer, failure: AppError): void;
  receipt(cover: Cover, signed: SignedReceipt): void;
  ending(cover: Cover): void;
  ended(cover: Cover, ending: Ending): void;
}

export interface ConversationOptions {
  readonly chain: Chain;
  readonly rail: Rail;
  readonly clientOf: (offer: Offer) => ProviderClient;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: ConversationObserver;
  /** What all of it may cost: what was paid and what is deposited, raw units. */
  readonly maxSpend: bigint;
  /** Time that a deposit covers, and that a top-up adds. */
  readonly seconds: number;
  readonly exactSeconds: boolean;
}
