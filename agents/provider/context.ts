import type { Clock, Logger, Metrics } from "@clawcompute/lib/node";
import type { Domain } from "@clawcompute/lib/protocol";
import type { Address } from "viem";
import type { Admission } from "./admission.ts";
import type { AnswerDeps } from "./answer.ts";
import type { Caller } from "./caller.ts";
import type { ChainTime } from "./chainTime.ts";
import type { ServedOffer } from "./offers.ts";
import type { Payments } from "./payments/payments.ts";
import type { RateLimit } from "./rateLimit.ts";
import type { RouteContext } from "./routes/handler.ts";
import type { Running } from "./running.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlements } from "./settlement.ts";
import type { Streams } from "./streams.ts";

/** Everything the routes need, put together in `provider.ts`. */
export interface ProviderContext {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly domain: Domain;
  /** Whom streams pay. */
  readonly payee: Address;
  /** Who signs receipts and settlements. */
  readonly signer: Address;
  readonly offers: readonly ServedOffer[];
  readonly chainTime: ChainTime;
  readonly streams: Streams;
  readonly sessions: Sessions;
  readonly settlements: Settlements;
  readonly admission: Admission;
  /** Channels, and whatever else proves itself with each request. */
  readonly payments: Payments;
  readonly callerOf: (c: RouteContext) => Caller;
  /** Of each address: what turned out to be worth nothing. */
  readonly attempts: RateLimit;
  readonly running: Running;
  readonly answers: AnswerDeps;
  readonly maxBodyBytes: number;
  /** How long a caller may take to send a body. */
  readonly bodyMs: number;
  /** Engines may fetch pictures and files from URLs in requests. */
  readonly allowRemoteMedia: boolean;
  /** Set while the chain's events are being followed. */
  readonly following: () => boolean;
}
