import type { Clock, Logger, Metrics } from "@clawcompute/lib/node";
import type { Domain } from "@clawcompute/lib/protocol";
import type { Address } from "viem";
import type { Admission } from "./admission.ts";
import type { AnswerDeps } from "./answer.ts";
import type { ChainTime } from "./chainTime.ts";
import type { ServedOffer } from "./offers.ts";
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
  readonly running: Running;
  readonly answers: AnswerDeps;
  readonly maxBodyBytes: number;
  /** Set while the chain's events are being followed. */
  readonly following: () => boolean;
}
