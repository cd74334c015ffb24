import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costUp } from "@clawcompute/lib/money";
import type { ChatRequest, SignedReceipt } from "@clawcompute/lib/protocol";
import { type Answer, readAnswer } from "../gateway/answer.ts";
import type { Cover } from "../gateway/streams/cover.ts";
import type { ConversationOptions } from "./conversationTerms.ts";

/** One question over one stream and what became of it. */
export interface Reply {
  readonly offer: Offer;
  readonly streamId: string;
  readonly answer: Answer | undefined;
  readonly signed: SignedReceipt | undefined;
  /** By the receipt; without one, the most that was measured here. Raw units. */
  readonly costWei: bigint;
  /** Why it is not a whole, honestly billed answer. */
  readonly failure: AppError | undefined;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly onText?: (text: string) => void;
  readonly maxTokens?: number | undefined;
}

/** Asks over an open stream and checks the receipt. Does not throw: `failure` tells what went wrong. */
export async function askOver(
  cover: Cover,
  messages: ChatRequest["messages"],
  { signal, onText, maxTokens }: SendOptions,
  { limits, clock, observer }: Pick<ConversationOptions, "limits" | "clock" | "observer">,
): Promise<Reply> {
  const { offer, ratePerSecond } = cover;
  const release = cover.use();
  const sentAtMs = clock.now();
  let answer: Answer | undefined;
  let signed: SignedReceipt | undefined;
  let failure: AppError | undefined;
  observer.requested(cover);
  try {
    const request: ChatRequest = { model: offer.model, messages, ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }) };
    const headersMs = Math.min(limits.headersMs, limits.firstTokenMs);
    const stream = await cover.chat(request, { headersMs, signal });
    answer = await readAnswer(stream, {
      clock,
      sentAtMs,
      firstTokenMs: Math.max(1, limits.firstTokenMs - (clock.now() - sentAtMs)),
      stallMs: limits.stallMs,
      signal,
      onText: (text) => {
        observer.text(text);
        onText?.(text);
      },
    });
    failure = answer.failure;
    if (answer.signed !== undefined) {
      signed = await cover.verify(answer.signed, answer);
      observer.receipt(cover, signed);
    } else if (!failure) failure = new AppError("PROVIDER_DISHONEST", "The provider sent no receipt with its answer.");
  } catch (thrown) {
    const error = AppError.from(thrown);
    failure = error.code === "PROVIDER_DISHONEST" ? error : (failure ?? error);
  } finally {
    release();
  }
  const costWei = signed ? signed.receipt.amount : answer ? costUp(ratePerSecond, answer.measuredMs) : 0n;
  return { offer, streamId: cover.id, answer, signed, costWei, failure: failure ?? cutShort(answer, signed) };
}

function cutShort(answer: Answer | undefined, signed: SignedReceipt | undefined): AppError | undefined {
  if (!answer || ["stop", "tool_calls"].includes(answer.finishReason ?? "")) return undefined;
  const ranDry = signed?.receipt.reason === "runway";
  return new AppError(
    "ANSWER_CUT",
    ranDry ? "The deposit ran out before the answer's end." : `The answer was cut (${answer.finishReason}).`,
    {
      facts: { finishReason: answer.finishReason ?? null, reason: signed?.receipt.reason ?? null },
      hint: ranDry ? "Allow a larger --max-spend." : "Only the time served was paid.",
    },
  );
}
