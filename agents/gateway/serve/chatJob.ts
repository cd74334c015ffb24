import type { Chain, Offer } from "@clawcompute/lib/chain";
import type { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { ChatChunk, ChatRequest, SignedReceipt } from "@clawcompute/lib/protocol";
import type { Answer } from "../answer.ts";
import type { AttemptLimits } from "../attempt.ts";
import type { Budget, Client } from "../budget/budget.ts";
import type { LocalEngine } from "../local/localEngine.ts";
import type { ProviderClient } from "../providerClient.ts";
import type { ChooseDeps } from "../selection/choose.ts";
import type { ContextLengths } from "../selection/contextLengths.ts";
import type { Experience } from "../selection/experience.ts";
import type { ModelChoice } from "../selection/modelName.ts";
import type { Places } from "../selection/places.ts";
import type { Ranked } from "../selection/rank.ts";
import type { Pool } from "../streams/pool.ts";

/** Who answers. */
export interface AnswerSource {
  readonly providerId: number | undefined;
  /** Of the stream or channel that pays; undefined for the local engine. */
  readonly coverId: string | undefined;
  readonly model: string;
  readonly ratePerSecond: bigint;
}

/** Where an answer goes. */
export interface Outlet {
  /** The first word is there: from now on nobody else will answer. */
  begin(source: AnswerSource): Promise<void> | void;
  /** A chunk of the answer as it came. Resolves when there is room for more. */
  chunk(data: string, chunk: ChatChunk): Promise<void> | void;
  /** What goes on before the first word. */
  waiting?(words: string): void;
}

export interface ChatJob {
  readonly requestId: string;
  readonly client: Client;
  readonly choice: ModelChoice;
  readonly request: ChatRequest;
  /** What the client itself allows for this request, raw units. */
  readonly maxCostWei: bigint | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly outlet: Outlet;
}

export interface AttemptRecord {
  /** 0: the local engine. */
  readonly providerId: number;
  readonly code: string;
}

export interface ChatOutcome {
  readonly source: AnswerSource | undefined;
  readonly answer: Answer | undefined;
  readonly signed: SignedReceipt | undefined;
  readonly servedMs: number;
  readonly costWei: bigint;
  /** Whether the cost is what the provider signed; otherwise it is the most that this side measured. */
  readonly exact: boolean;
  /** Money ended the answer: it ends as `length`. */
  readonly cutByMoney: boolean;
  /** Something went wrong after the first word. */
  readonly failure: AppError | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly ranked: readonly Ranked[];
}

export interface ChatDeps {
  readonly chain: Chain;
  readonly choose: ChooseDeps;
  readonly pool: Pool;
  readonly places: Places;
  readonly contexts: ContextLengths;
  readonly budget: Budget;
  readonly experience: Experience;
  readonly clientOf: (offer: Offer) => ProviderClient;
  readonly local: LocalEngine | undefined;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One request sent once. */
export interface Try {
  readonly source: AnswerSource;
  readonly answer: Answer | undefined;
  readonly signed: SignedReceipt | undefined;
  /** A word of it reached the client. */
  readonly begun: boolean;
  readonly cutByMoney: boolean;
  readonly failure: AppError | undefined;
  readonly costWei: bigint;
  readonly exact: boolean;
}
