import { AppError } from "@clawcompute/lib/errors";
import { createSseReader, type SseEvent, type SseReader } from "@clawcompute/lib/protocol";
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

/** The events of an answer up to [DONE], without comments, as they arrive together. Throws what an event named "error" says. */
export async function* eventGroupsOf(
  answer: UpstreamAnswer,
  signal: AbortSignal,
  secret: string | undefined,
): AsyncGenerator<readonly SseEvent[]> {
  const reader = createSseReader();
  for await (const bytes of answer.bytes) {
    signal.throwIfAborted();
    const events: SseEvent[] = [];
    for (const item of read(reader, bytes)) {
      if (item.comment !== undefined) continue;
      if (item.data === "[DONE]") {
        if (events.length > 0) yield events;
        return answer.drain();
      }
      if (item.event === "error") {
        if (events.length > 0) yield events;
        throw midAnswerError(parseIfJson(item.data), secret);
      }
      events.push(item);
    }
    if (events.length > 0) yield events;
  }
}

/** The same, one by one. */
export async function* eventsOf(answer: UpstreamAnswer, signal: AbortSignal, secret: string | undefined): AsyncGenerator<SseEvent> {
  for await (const events of eventGroupsOf(answer, signal, secret)) yield* events;
}

function read(reader: SseReader, bytes: Uint8Array): readonly SseEvent[] {
  try {
    return reader.push(bytes);
  } catch (error) {
    // The event-stream reader's own limit speaks of the provider; here the engine is meant.
    if (!(error instanceof AppError && error.code === "PROVIDER_FAILED")) throw error;
    throw new AppError("UPSTREAM_FAILED", "An event of the model behind this provider is too large.", { cause: error });
  }
}
