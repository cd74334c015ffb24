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
  const decoder = new TextDecoder();
  let buffer = "";
  let data: string[] = [];
  let event: string | undefined;
  for await (const chunk of bytes) {
    buffer += decoder.decode(chunk, { stream: true });
    if (buffer.length > MAX_EVENT) throw new AppError("PROVIDER_FAILED", "An event of the answer is larger than 1 MiB.");
    // A trailing CR may be the first half of CRLF: wait for the next chunk.
    for (let end = lineEnd(buffer); end; end = lineEnd(buffer)) {
      const line = buffer.slice(0, end.at);
      buffer = buffer.slice(end.next);
      if (line === "") {
        if (data.length > 0) yield event === undefined ? { data: data.join("\n") } : { data: data.join("\n"), event };
        data = [];
        event = undefined;
      } else if (line.startsWith(":")) yield { data: "", comment: line.slice(1).trim() };
      else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line.startsWith("event:")) event = line.slice(6).trim();
    }
  }
}

function lineEnd(text: string): { at: number; next: number } | undefined {
  const at = text.search(/[\r\n]/);
  if (at < 0) return undefined;
  if (text[at] === "\n") return { at, next: at + 1 };
  if (at + 1 >= text.length) return undefined;
  return { at, next: text[at + 1] === "\n" ? at + 2 : at + 1 };
}

/** One event as bytes on the wire. */
export const encodeSse = (data: string, event?: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${data.replaceAll("\n", "\ndata: ")}\n\n`;
