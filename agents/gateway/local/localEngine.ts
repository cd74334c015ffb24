import type { ChatRequest } from "@clawcompute/lib/protocol";
import type { ChatStream } from "../providerClient.ts";
import type { ModelChoice } from "../selection/modelName.ts";

/** A place on one's own engine, for one request. */
export interface LocalPlace {
  readonly model: string;
  /** The network must not be asked, whatever happens here. */
  readonly only: boolean;
  /** The network is asked as well when no word has come after this time; undefined: only when the engine fails. */
  readonly raceAfterMs: number | undefined;
  readonly firstTokenMs: number;
  /** What a second of it costs its owner, raw units; 0n: nothing that counts. */
  readonly pricePerSecond: bigint;
  /** Throws the engine's refusal, PROVIDER_UNREACHABLE or PROVIDER_TIMEOUT. */
  chat(request: ChatRequest, signal: AbortSignal): Promise<ChatStream>;
  release(): void;
}

export type LocalDecision =
  | { readonly kind: "local"; readonly place: LocalPlace; readonly reason: string }
  | { readonly kind: "network"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

/** A server of one's own, such as Ollama, that costs nothing. */
export interface LocalEngine {
  /** Names of the models that it has now. */
  models(): Promise<readonly string[]>;
  /** Where this request is to run (C-010, C-079). */
  decide(choice: ModelChoice): Promise<LocalDecision>;
}
