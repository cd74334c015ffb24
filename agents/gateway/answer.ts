import { createHash } from "node:crypto";
import { AppError, fromStranger } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { type ChatChunk, chatChunk, RECEIPT_KEY } from "@clawcompute/lib/protocol";
import type { Hex } from "viem";
import type { ChatStream } from "./providerClient.ts";

/** Everything that came over the wire for one request, whole or not. */
export interface Answer {
  readonly text: string;
  readonly finishReason: string | undefined;
  readonly usage: ChatChunk["usage"];
  /** SHA-256 over each event's data and a newline, as receipts define it. */
  readonly bodyHash: Hex;
  /** The signed receipt as it was sent; not checked yet. */
  readonly signed: unknown;
  /** From sending the request, by this side's clock. */
  readonly firstTokenMs: number | undefined;
  readonly measuredMs: number;
  /** Why this is not a whole answer, as far as the stream itself shows. */
  readonly failure: AppError | undefined;
}

export interface ReadAnswerOptions {
  readonly clock: Clock;
  /** When the request was sent, by `clock`. */
  readonly sentAtMs: number;
  readonly firstTokenMs: number;
  /** The longest silence between two events; comments do not count. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
  /** Each event of the answer itself, as it came; reading goes on when it resolves. The time it takes is not the provider's silence. */
  readonly onChunk?: (data: string, chunk: ChatChunk) => Promise<void> | void;
}

/** For the end of the connection after the end of the answer. */
const END_MS = 100;

/** Reads an answer to its end, whatever that is. Never throws, closes the connection. */
export async function readAnswer(stream: ChatStream, options: ReadAnswerOptions): Promise<Answer> {
  const { clock, sentAtMs, stallMs, signal, onText, onChunk } = options;
  const hash = createHash("sha256");
  let text = "";
  let finishReason: string | undefined;
  let usage: ChatChunk["usage"];
  let signed: unknown;
  let firstTokenMs: number | undefined;
  let measuredMs = 0;
  let done = false;
  let events = 0;
  let failure: AppError | undefined;

  const stop = (error: AppError) => {
    failure ??= error;
    stream.close();
  };
  const onAbort = () => stop(new AppError("ABORTED", "Stopped on request.", { cause: signal.reason }));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const late = () => stop(new AppError("PROVIDER_TIMEOUT", `No token within ${Math.round(options.firstTokenMs)} ms.`));
  const stalled = () => stop(new AppError("PROVIDER_TIMEOUT", `The answer stalled for ${stallMs} ms.`));
  let timer = setTimeout(late, options.firstTokenMs);

  try {
    for await (const { data, comment } of stream.events) {
      if (done || comment !== undefined || failure?.code === "ABORTED" || failure?.code === "PROVIDER_TIMEOUT") continue;
      measuredMs = clock.now() - sentAtMs;
      if (data === "[DONE]") {
        done = true;
        // Read to the end, the connection can be used again; a provider that keeps it open gains nothing.
        clearTimeout(timer);
        timer = setTimeout(stream.close, END_MS);
        continue;
      }
      events += 1;
      const chunk = parseChunk(data);
      if (!chunk) {
        stop(new AppError("PROVIDER_FAILED", "The provider sent an event that is no chat chunk."));
        break;
      }
      if (RECEIPT_KEY in chunk) {
        if (signed !== undefined) stop(new AppError("PROVIDER_DISHONEST", "The provider sent two receipts for one answer."));
        signed = chunk[RECEIPT_KEY];
        continue;
      }
      hash.update(data).update("\n");
      if (chunk.error !== undefined && chunk.error !== null) failure ??= fromStranger(chunk, 502, "UPSTREAM_FAILED");
      usage = chunk.usage ?? usage;
      const choice = chunk.choices?.find(({ index }) => (index ?? 0) === 0);
      finishReason = choice?.finish_reason ?? finishReason;
      const piece = choice?.delta?.content ?? "";
      if (firstTokenMs === undefined && producesToken(choice)) firstTokenMs = measuredMs;
      if (piece !== "") {
        text += piece;
        onText(piece);
      }
      if (onChunk) {
        clearTimeout(timer);
        await onChunk(data, chunk);
      }
      clearTimeout(timer);
      const waited = clock.now() - sentAtMs;
      timer = firstTokenMs === undefined ? setTimeout(late, Math.max(1, options.firstTokenMs - waited)) : setTimeout(stalled, stallMs);
    }
  } catch (thrown) {
    failure ??= AppError.from(thrown);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    stream.close();
  }
  if (!done || measuredMs === 0) measuredMs = clock.now() - sentAtMs;
  failure ??= howItBroke(done, finishReason, events, text);
  const bodyHash: Hex = `0x${hash.digest("hex")}`;
  return { text, finishReason, usage, bodyHash, signed, firstTokenMs, measuredMs, failure };
}

/** Without a finish reason and the end mark an answer is not whole, however cleanly the connection ended (P7). */
function howItBroke(done: boolean, finishReason: string | undefined, events: number, text: string): AppError | undefined {
  if (done && finishReason !== undefined) return undefined;
  if (events === 0) return new AppError("PROVIDER_FAILED", "The provider's answer is empty.");
  if (text === "") return new AppError("PROVIDER_FAILED", "The provider's answer broke off before its first word.");
  return new AppError("ANSWER_CUT", "The answer broke off before its end.");
}

function parseChunk(data: string): (ChatChunk & Record<string, unknown>) | undefined {
  try {
    const parsed = chatChunk.safeParse(JSON.parse(data));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A role alone is a greeting, not a token; reasoning and tool calls are tokens too. */
export function producesToken(choice: NonNullable<ChatChunk["choices"]>[number] | undefined): boolean {
  if (!choice) return false;
  if (choice.finish_reason) return true;
  return Object.entries(choice.delta ?? {}).some(([key, value]) => key !== "role" && value !== null && value !== undefined && value !== "");
}
