import { AppError, fromStranger } from "@clawcompute/lib/errors";
import { chatChunk, RECEIPT_KEY, type SseEvent } from "@clawcompute/lib/protocol";
import type { Hex } from "viem";

export interface Answer {
  readonly text: string;
  readonly finishReason: string | undefined;
  /** SHA-256 over each event's data and a newline (rule R9). */
  readonly bodyHash: Hex;
  /** The signed receipt as it was sent; not checked yet. */
  readonly signed: unknown;
  /** Why it is not a whole answer, as far as the stream itself shows. */
  readonly failure: AppError | undefined;
}

/** Reads an answer to its end, whatever that is. Never throws. */
export async function readAnswer(events: AsyncIterable<SseEvent>, signal: AbortSignal, onText: (text: string) => void): Promise<Answer> {
  const parts: string[] = [];
  let text = "";
  let finishReason: string | undefined;
  let signed: unknown;
  let done = false;
  let failure: AppError | undefined;
  try {
    for await (const { data, comment } of events) {
      if (comment !== undefined) continue;
      if (data === "[DONE]") {
        done = true;
        break;
      }
      const parsed = chatChunk.safeParse(JSON.parse(data));
      if (!parsed.success) throw new AppError("PROVIDER_FAILED", "The provider sent an event that is no chat chunk.");
      const chunk = parsed.data;
      if (RECEIPT_KEY in chunk) {
        signed = chunk[RECEIPT_KEY];
        continue;
      }
      parts.push(data, "\n");
      if (chunk.error !== undefined && chunk.error !== null) failure ??= fromStranger(chunk, 502, "UPSTREAM_FAILED");
      const choice = chunk.choices?.find(({ index }) => (index ?? 0) === 0);
      finishReason = choice?.finish_reason ?? finishReason;
      const piece = choice?.delta?.content ?? "";
      if (piece !== "") {
        text += piece;
        onText(piece);
      }
    }
  } catch (thrown) {
    failure ??= signal.aborted
      ? new AppError("ABORTED", "Stopped on request.", { cause: thrown })
      : thrown instanceof AppError
        ? thrown
        : new AppError("ANSWER_CUT", "The answer broke off.", { cause: thrown });
  }
  if (!failure && signal.aborted) failure = new AppError("ABORTED", "Stopped on request.");
  if (!failure && (!done || finishReason === undefined)) failure = new AppError("ANSWER_CUT", "The answer broke off before its end.");
  return { text, finishReason, bodyHash: await sha256(parts.join("")), signed, failure };
}

async function sha256(text: string): Promise<Hex> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `0x${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
