import { AppError } from "@clawcompute/lib/errors";
import { type Clock, systemClock } from "@clawcompute/lib/node";
import Groq from "groq-sdk";
import type { ChatCompletionCreateParamsStreaming } from "groq-sdk/resources/chat/completions";
import type { Backend } from "./backend.ts";
import { createUpstreamChunks } from "./upstreamChunks.ts";
import { connectionError, midAnswerError, upstreamError } from "./upstreamError.ts";
import { checkTimeouts, defaultTimeouts, type UpstreamTimeouts, watchUpstream } from "./upstreamWatch.ts";

export interface GroqConfig {
  readonly kind: "groq";
  readonly apiKey: string;
  /** Groq's name of the model. */
  readonly model: string;
  readonly baseURL?: string;
  readonly timeouts?: Partial<UpstreamTimeouts>;
}

/** Groq's cloud by its own SDK. */
export function createGroqBackend(config: GroqConfig, { clock = systemClock }: { clock?: Clock } = {}): Backend {
  const { apiKey } = config;
  if (isPlaceholder(apiKey))
    throw new AppError("CONFIG_INVALID", "GROQ_API_KEY holds a placeholder.", {
      param: "GROQ_API_KEY",
      hint: "Put a key from console.groq.com there.",
    });
  const timeouts = { ...defaultTimeouts, ...config.timeouts };
  // Retries belong to the caller, who knows what was paid; the SDK's log would hold answers.
  const client = new Groq({ apiKey, baseURL: config.baseURL ?? "https://api.groq.com", maxRetries: 0, timeout: 600_000, logLevel: "off" });

  return {
    name: "groq",
    close: async () => {},
    async check(signal) {
      const model = await client.models.retrieve(config.model, { signal, timeout: checkTimeouts.headersMs }).catch((error) => {
        if (signal.aborted) throw signal.reason;
        const status = error instanceof Groq.APIError ? error.status : undefined;
        if (status === 401 || status === 403)
          throw new AppError("CONFIG_INVALID", `Groq refuses the API key (${status}).`, {
            param: "GROQ_API_KEY",
            hint: "Make a new key at console.groq.com.",
          });
        if (status === 404)
          throw new AppError("CONFIG_INVALID", `Groq does not offer ${config.model}.`, {
            param: "model",
            hint: "console.groq.com/docs/models lists what it offers.",
          });
        throw fromGroq(error, apiKey, false);
      });
      if (model.id !== config.model) throw new AppError("UPSTREAM_FAILED", "What answers for Groq is not Groq.");
    },
    async *chat(request, signal) {
      signal.throwIfAborted();
      const own = new AbortController();
      let late: AppError | undefined;
      const watch = watchUpstream(clock, timeouts, (error) => {
        late = error;
        own.abort();
      });
      // The SDK opens the connection where we cannot see it.
      watch.connected();
      const stop = AbortSignal.any([signal, own.signal]);
      const chunks = createUpstreamChunks({ model: request.model, secret: apiKey });
      let begun = false;
      try {
        const body = { ...request, model: config.model, stream: true, stream_options: { include_usage: true } };
        const stream = await client.chat.completions.create(body as unknown as ChatCompletionCreateParamsStreaming, { signal: stop });
        begun = true;
        watch.headers();
        for await (const chunk of stream) {
          watch.heard();
          const event = chunks.takeParsed(chunk);
          if (event === undefined) continue;
          watch.firstToken();
          yield event;
        }
        // An aborted SDK stream ends like a finished one.
        stop.throwIfAborted();
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (late) throw late;
        if (!chunks.finished()) throw fromGroq(error, apiKey, begun);
      } finally {
        watch.done();
        own.abort();
      }
      const usage = chunks.finished() ? chunks.usage() : undefined;
      if (usage) yield usage;
    },
  };
}

/** Real keys are random: a word inside a whole key means nothing, eight times the same letter does. */
function isPlaceholder(key: string): boolean {
  if (/(.)\1{7}/.test(key)) return true;
  if (/^gsk_[A-Za-z0-9]{40,}$/.test(key)) return false;
  return key.length < 20 || /your|change|replace|placeholder|example|x{4}|\.{3}|[<>\s]/i.test(key);
}

function fromGroq(error: unknown, secret: string, begun: boolean): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Groq.APIConnectionError) return connectionError(error.cause ?? error);
  if (!(error instanceof Groq.APIError)) return connectionError(error);
  if (error.status === undefined || begun) return midAnswerError({ error: error.error }, secret);
  return upstreamError({ status: error.status, body: error.error, retryAfter: error.headers?.get("retry-after") ?? undefined, secret });
}
