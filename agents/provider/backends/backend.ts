import type { ChatRequest, SseEvent } from "@clawcompute/lib/protocol";
import type {
  CompletionRequest,
  Embeddings,
  EmbeddingsRequest,
  ImagesRequest,
  Media,
  ResponsesRequest,
  SpeechRequest,
} from "./modalities.ts";

/**
 * A model behind a provider. One interface for every engine: requests go in as the OpenAI API has them, answers come out
 * as the data of `chat.completion.chunk` events.
 */
export interface Backend {
  readonly name: "llama" | "openai" | "groq" | "echo";
  /** Proves that the model can be used. Throws CONFIG_INVALID or UPSTREAM_FAILED saying what is missing. */
  check(signal: AbortSignal): Promise<void>;
  /**
   * One answer as JSON chunks, without [DONE]; the last ones carry `finish_reason` and, in a chunk with empty `choices`,
   * `usage` (always asked for, whatever the caller wanted). Ends without a finish_reason only when the engine broke off.
   * Stops the engine's work when `signal` aborts (then throws the signal's reason) or the consumer returns early. Throws
   * UPSTREAM_REFUSED, CONTEXT_TOO_LONG or UNSUPPORTED (the request's fault, with the engine's reason), UPSTREAM_FAILED,
   * UPSTREAM_TIMEOUT or BUSY.
   */
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<string>;
  close(): Promise<void>;

  // What an engine lacks is undefined. All stop on `signal` and throw as `chat` does.

  /** As `chat`, in `text_completion` chunks. */
  completion?(request: CompletionRequest, signal: AbortSignal): AsyncIterable<string>;
  /** The events of OpenAI's Responses API, streamed whatever the caller wanted: the last one holds the whole response. */
  responses?(request: ResponsesRequest, signal: AbortSignal): AsyncIterable<SseEvent>;
  embeddings?(request: EmbeddingsRequest, signal: AbortSignal): Promise<Embeddings>;
  /** The body of the answer: `{created, data: [{url} or {b64_json}]}`. */
  images?(request: ImagesRequest, signal: AbortSignal): Promise<object>;
  /** The fields of OpenAI's form: `file`, `model`, `response_format` and so on. */
  transcription?(form: FormData, signal: AbortSignal): Promise<Media>;
  speech?(request: SpeechRequest, signal: AbortSignal): Promise<Media>;
}
