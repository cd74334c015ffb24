import { AppError } from "../errors/index.ts";

export interface SseEvent {
  /** Joined `data:` lines; empty for a comment. */
  readonly data: string;
  readonly event?: string;
  readonly comment?: string;
}

const MAX_EVENT = 1_048_576;

/**
 * Server-sent events from bytes, per the WHATWG HTML standard's event-stream format (LF, CRLF or CR; comments reported).
 * An event that the stream breaks off in is not reported. Throws PROVIDER_FAILED when one event exceeds 1 MiB.
 */
export async function* parseSse(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  const reader = createSseReader();
  for await (const chunk of bytes) yield* reader.push(chunk);
}

/** The same for whoever has the bytes already: what came together is read together. */
export interface SseReader {
  /** The events that these bytes complete. Throws as `parseSse` does. */
  push(bytes: Uint8Array): SseEvent[];
}

export function createSseReader(): SseReader {
  const decoder = new TextDecoder();
  let buffer = "";
  let data: string | undefined;
  let event: string | undefined;

  function takeLine(line: string, events: SseEvent[]): void {
    if (line === "") {
      if (data !== undefined) events.push(event === undefined ? { data } : { data, event });
      data = undefined;
      event = undefined;
    } else if (line.startsWith("data:")) {
      const text = line.slice(line[5] === " " ? 6 : 5);
      data = data === undefined ? text : `${data}\n${text}`;
    } else if (line.startsWith(":")) events.push({ data: "", comment: line.slice(1).trim() });
    else if (line.startsWith("event:")) event = line.slice(6).trim();
  }

  return {
    push: (bytes) => {
      buffer += decoder.decode(bytes, { stream: true });
      if (buffer.length + (data?.length ?? 0) > MAX_EVENT) {
        throw new AppError("PROVIDER_FAILED", "An event of the answer is larger than 1 MiB.");
      }
      const events: SseEvent[] = [];
      let from = 0;
      // A trailing CR may be the first half of CRLF: it waits for the next bytes.
      for (let end = lineEnd(buffer, from); end; end = lineEnd(buffer, from)) {
        takeLine(buffer.slice(from, end.at), events);
        from = end.next;
      }
      buffer = buffer.slice(from);
      return events;
    },
  };
}

function lineEnd(text: string, from: number): { at: number; next: number } | undefined {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 10) return { at, next: at + 1 };
    if (code === 13) return at + 1 >= text.length ? undefined : { at, next: text.charCodeAt(at + 1) === 10 ? at + 2 : at + 1 };
  }
  return undefined;
}

/** One event as bytes on the wire. */
export const encodeSse = (data: string, event?: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${data.includes("\n") ? data.replaceAll("\n", "\ndata: ") : data}\n\n`;
