import { AppError } from "@clawcompute/lib/errors";
import type { RouteContext } from "../../broadcast.ts";
import type { Final } from "../../serveChat.ts";

/** Errors as every Ollama client reads them: `{error: "text"}` with the status. */
export const ollamaErrors =
  (handler: (c: RouteContext) => Promise<Response> | Response) =>
  async (c: RouteContext): Promise<Response> => {
    try {
      return await handler(c);
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.alert) throw thrown;
      const retryAfter = error.retryAfterSeconds ?? (error.status === 429 || error.status === 503 ? 1 : undefined);
      return c.body(JSON.stringify({ error: wordsOf(error), code: error.code.toLowerCase() }), error.status as 400, {
        "content-type": "application/json",
        "cache-control": "no-store",
        ...(retryAfter === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) }),
      });
    }
  };

export const wordsOf = ({ message, hint }: AppError): string => (hint ? `${message} ${hint}` : message);

export const timeOf = (unixMs: number): string => new Date(unixMs).toISOString();

/** Durations in ns and counts, as Ollama ends an answer (C-021), and our own bill (C-022). */
export const endOf = (final: Final) => {
  const { startedAtMs, endedAtMs, firstTokenMs, promptTokens, completionTokens, finishReason, extra } = final;
  const totalMs = endedAtMs - startedAtMs;
  return {
    done: true,
    done_reason: finishReason === "length" ? "length" : "stop",
    total_duration: ns(totalMs),
    load_duration: 0,
    prompt_eval_count: promptTokens,
    prompt_eval_duration: ns(firstTokenMs),
    eval_count: completionTokens,
    eval_duration: ns(Math.max(0, totalMs - firstTokenMs)),
    clawcompute: extra,
  };
};

const ns = (ms: number): number => Math.round(ms * 1_000_000);

export const ndjson = (value: object): string => `${JSON.stringify(value)}\n`;
