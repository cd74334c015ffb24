import type { Chain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { decodeSignedReceipt, encodeSignedReceipt, hashReceipt, type Receipt, type SignedReceipt } from "@clawcompute/lib/protocol";
import type { Conversation, ConversationEvent, KeptReceipt } from "./conversation.ts";
import type { OwnMeasure, Payment } from "./payment.ts";
import { type ChatMessage, providerApi } from "./providerApi.ts";
import { readAnswer } from "./readAnswer.ts";
import { wayOf } from "./ways.ts";

const RECEIPT_WITHIN_MS = 3000;
const RECEIPT_RETRY_MS = 300;

interface Observer {
  change(event: ConversationEvent): void;
  /** Nothing more is being worked on, though its receipt may be awaited. */
  stopped(): void;
}

/** Asks, reads to the end, checks the receipt. Everything that happens is told as events; throws nothing. */
export async function answerQuestion(
  chain: Chain,
  { payment, turns, servedMs: previousServedMs, lastReceiptHash: previousReceiptHash }: Conversation,
  text: string,
  signal: AbortSignal,
  { change, stopped }: Observer,
): Promise<void> {
  if (!payment) return;
  const way = wayOf(payment);
  const history: ChatMessage[] = turns.filter(({ content }) => content !== "").map(({ role, content }) => ({ role, content }));
  const started = performance.now();
  let requestId: string | undefined;
  try {
    const messages: ChatMessage[] = [...history, { role: "user", content: text }];
    const chat = await way.ask(chain, payment, { model: payment.model, messages }, signal);
    requestId = chat.requestId;
    change({ kind: "accepted", requestId });
    const got = await readAnswer(chat.events, signal, (piece) => change({ kind: "text", text: piece }));
    const measuredMs = performance.now() - started;
    stopped();
    if (got.signed === undefined) throw got.failure ?? new AppError("PROVIDER_DISHONEST", "The provider sent no receipt with its answer.");
    const signed = await way.verify(
      chain,
      payment,
      { signed: got.signed, bodyHash: got.bodyHash },
      {
        measuredMs,
        previousServedMs,
        previousReceiptHash,
      },
    );
    const { reason } = signed.receipt;
    const note = got.failure?.message ?? (["stop", "tool_calls"].includes(reason) ? undefined : endingWords(reason));
    change({ kind: "answered", receipt: keep(chain, payment, signed), ...(note ? { note } : {}) });
  } catch (thrown) {
    const measuredMs = performance.now() - started;
    stopped();
    const own = { measuredMs, previousServedMs, previousReceiptHash };
    const receipt = requestId === undefined ? undefined : await lateReceipt(chain, payment, requestId, () => own);
    change({ kind: "cut", measuredMs, failure: AppError.from(thrown), ...(receipt ? { receipt } : {}) });
  }
}

/**
 * The receipt of an answer that broke off, so that the next one can be checked against it. What was delivered last may not have
 * arrived here, so the body is not compared; everything else is. Undefined when there is none to be had.
 */
export async function lateReceipt(
  chain: Chain,
  payment: Payment,
  requestId: string,
  own: (claimed: Receipt) => OwnMeasure,
): Promise<KeptReceipt | undefined> {
  const api = providerApi(payment.endpoint, chain.network.isLocal);
  const deadline = performance.now() + RECEIPT_WITHIN_MS;
  for (;;) {
    try {
      const signed = await api.receipt(payment.token, requestId);
      const { receipt } = decodeSignedReceipt(signed);
      const answer = { signed, bodyHash: receipt.bodyHash };
      return keep(chain, payment, await wayOf(payment).verify(chain, payment, answer, own(receipt)));
    } catch (thrown) {
      if (AppError.from(thrown).code !== "NOT_FOUND" || performance.now() > deadline) return undefined;
      await new Promise((resolve) => setTimeout(resolve, RECEIPT_RETRY_MS));
    }
  }
}

function keep(chain: Chain, payment: Payment, signed: SignedReceipt): KeptReceipt {
  const { servedMs, cumulativeServedMs } = signed.receipt;
  const hash = hashReceipt(wayOf(payment).domain(chain), signed.receipt);
  return { signed: encodeSignedReceipt(signed), hash, servedMs, cumulativeServedMs, paidBy: payment.id };
}

function endingWords(reason: string): string {
  if (reason === "runway") return "The deposit ran out before the end.";
  if (reason === "length") return "The model's length limit was reached.";
  if (reason === "cancelled") return "The stream was cancelled.";
  return `It ended early (${reason}).`;
}
