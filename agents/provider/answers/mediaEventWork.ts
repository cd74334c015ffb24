import { AppError } from "@clawcompute/lib/errors";
import { parseSse, RECEIPT_KEY } from "@clawcompute/lib/protocol";
import type { Media } from "../backends/modalities.ts";
import { errorEvent } from "./chunkWork.ts";
import { RECEIPT_EVENT } from "./receiptEvent.ts";
import type { Piece, Units, Work } from "./work.ts";

export interface MediaEventOptions {
  readonly run: (signal: AbortSignal) => Promise<Media>;
  /** The event that ends an answer, such as `transcript.text.done`. */
  readonly done: string;
  readonly unitsIn: number;
}

/** Sound or its words in typed events: transcriptions with `stream`, speech with `stream_format: "sse"`. */
export function createMediaEventWork({ run, done, unitsIn }: MediaEventOptions): Work {
  let whole = false;
  let unitsOut = 0;

  return {
    inOnePiece: false,
    inTokens: false,
    start: async function* (signal) {
      const media = await run(signal);
      if (/^text\/event-stream/i.test(media.contentType)) yield* eventsOf(media);
      else yield await oneEventOf(media, done);
    },
    take: ({ data }) => {
      const { type, error } = parse(String(data));
      if (error !== undefined && error !== null) throw new AppError("UPSTREAM_FAILED", "The model reported an error in its answer.");
      if (type === done) whole = true;
      unitsOut += String(data).length;
      return { hasContent: true, shown: true };
    },
    isWhole: () => whole,
    endReason: () => "stop",
    units: (): Units => ({ unitsIn, unitsOut }),
    // There is no word in this API for an answer that was cut; the receipt has the reason.
    cutOff: () => [],
    failed: errorEvent,
    ending: (receipt) => [{ data: JSON.stringify({ type: RECEIPT_EVENT, [RECEIPT_KEY]: receipt }) }],
    body: () => undefined,
  };
}

async function* eventsOf({ bytes }: Media): AsyncGenerator<Piece> {
  for await (const { data, comment } of parseSse(bytes)) {
    if (comment === undefined && data !== "[DONE]") yield { data };
  }
}

/** Engines that cannot stream answer in one piece, which is then the last event. */
async function oneEventOf({ contentType, bytes }: Media, done: string): Promise<Piece> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  const all = Buffer.concat(parts);
  if (/json/i.test(contentType)) return { data: JSON.stringify({ ...parse(all.toString("utf8")), type: done }) };
  return {
    data: JSON.stringify(
      /^text\//i.test(contentType) ? { type: done, text: all.toString("utf8") } : { type: done, audio: all.toString("base64") },
    ),
  };
}

function parse(data: string): Record<string, unknown> {
  try {
    const value = JSON.parse(data);
    if (typeof value === "object" && value !== null) return value;
  } catch {}
  throw new AppError("UPSTREAM_FAILED", "The model behind this provider sent something that is no answer.");
}
