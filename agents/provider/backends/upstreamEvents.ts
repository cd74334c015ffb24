import { AppError } from "@clawcompute/lib/errors";
import { parseSse, type SseEvent } from "@clawcompute/lib/protocol";
import { midAnswerError } from "./upstreamError.ts";
import { parseIfJson, type UpstreamAnswer, type UpstreamHttp } from "./upstreamHttp.ts";

export function sendJson(http: UpstreamHttp, path: string, body: object, signal: AbortSignal): Promise<UpstreamAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  return http.send({
    method: "POST",
    path,
    body: { type: "application/json", bytes },
    accept: "text/event-stream, application/json",
    signal,
  });
}

/** The events of an answer up to [DONE], without comments. Throws what an event named "error" says. */
export async function* eventsOf(answer: UpstreamAnswer, signal: AbortSignal, secret: string | undefined): AsyncGenerator<SseEvent> {
  try {
    for await (const item of parseSse(answer.bytes)) {
      signal.throwIfAborted();
      if (item.comment !== undefined) continue;
      if (item.data === "[DONE]") return answer.drain();
      if (item.event === "error") throw midAnswerError(parseIfJson(item.data), secret);
      yield item;
    }
  } catch (error) {
    // The event-stream reader's own limit speaks of the provider; here the engine is meant.
    if (!(error instanceof AppError && error.code === "PROVIDER_FAILED")) throw error;
    throw new AppError("UPSTREAM_FAILED", "An event of the model behind this provider is too large.", { cause: error });
  }
}
