import type { ChatRequest } from "@clawcompute/lib/protocol";
import type { ChatStream } from "../providerClient.ts";
import type { ModelChoice } from "../selection/modelName.ts";

/** A place on this machine's own engine, for one request. */
export interface LocalPlace {
  readonly model: string;
  /** Sends the request; `read` gets its stream. A fault before that becomes the result of `read` never being called: it throws. */
  run<T>(read: (stream: ChatStream, sentAtMs: number) => Promise<T>, signal: AbortSignal): Promise<T>;
  release(): void;
}

/** A server of one's own, such as Ollama, that costs nothing. */
export interface LocalEngine {
  /** Names of the models that it has now. */
  models(): Promise<readonly string[]>;
  /** Undefined when the policy sends this request to the network. */
  take(choice: ModelChoice, request: ChatRequest): Promise<LocalPlace | undefined>;
}
