import type { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import { type Hash, zeroHash } from "viem";
import type { Ending, Opened, Payment } from "./payment.ts";

/** A provider's signed receipt that passed every check, as it was sent (JSON), and what it came to. */
export interface KeptReceipt {
  readonly signed: unknown;
  readonly hash: Hash;
  readonly servedMs: number;
  readonly cumulativeServedMs: number;
  readonly paidBy: string;
}

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** Unix ms of this machine. */
  readonly at: number;
  /** Of an answer: still coming, whole, or broken off. */
  readonly state?: "coming" | "whole" | "cut";
  readonly model?: string;
  /** What a reader should know about it. */
  readonly note?: string;
  /** Under which the provider keeps the receipt. */
  readonly requestId?: string;
  readonly receipt?: KeptReceipt;
  /** Where no receipt came: the time measured here. */
  readonly measuredMs?: number;
}

/** One conversation and what pays for it. Survives a reload; an answer that was coming then is cut. */
export interface Conversation {
  readonly id: string;
  readonly createdAt: number;
  readonly turns: readonly Turn[];
  readonly payment: Payment | undefined;
  /** Served time of all answers under this payment: by receipts, and by this page's own watch where none came. */
  readonly servedMs: number;
  /** Undefined after an answer whose receipt is not known. */
  readonly lastReceiptHash: Hash | undefined;
  readonly ending: Ending | undefined;
}

export const newConversation = (id: string, createdAt: number): Conversation => ({
  id,
  createdAt,
  turns: [],
  payment: undefined,
  servedMs: 0,
  lastReceiptHash: zeroHash,
  ending: undefined,
});

export type ConversationEvent =
  | { readonly kind: "opened"; readonly opened: Opened }
  | { readonly kind: "asked"; readonly text: string; readonly at: number }
  | { readonly kind: "accepted"; readonly requestId: string | undefined }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "answered"; readonly receipt: KeptReceipt; readonly note?: string }
  | { readonly kind: "cut"; readonly measuredMs: number; readonly failure: AppError; readonly receipt?: KeptReceipt }
  /** The receipt of the last answer came later than the answer. */
  | { readonly kind: "receipt found"; readonly receipt: KeptReceipt }
  | { readonly kind: "topped up"; readonly deposit: string; readonly end: number }
  | { readonly kind: "ended"; readonly ending: Ending };

export function nextConversation(now: Conversation, event: ConversationEvent): Conversation {
  switch (event.kind) {
    case "opened": {
      const { payment, servedMs, lastReceiptHash } = event.opened;
      return { ...now, payment, servedMs, lastReceiptHash, ending: undefined };
    }
    case "asked": {
      const { text, at } = event;
      const model = now.payment?.model;
      const answer: Turn = { role: "assistant", content: "", at, state: "coming", ...(model === undefined ? {} : { model }) };
      return { ...now, turns: [...now.turns, { role: "user", content: text, at }, answer] };
    }
    case "accepted":
      return event.requestId === undefined ? now : changeLast(now, { requestId: event.requestId });
    case "text":
      return changeLast(now, { content: (now.turns.at(-1)?.content ?? "") + event.text });
    case "answered": {
      const { receipt, note } = event;
      const answer = { state: note === undefined ? "whole" : "cut", receipt, ...(note === undefined ? {} : { note }) } as const;
      return { ...changeLast(now, answer), servedMs: receipt.cumulativeServedMs, lastReceiptHash: receipt.hash };
    }
    case "cut": {
      const { failure, receipt, measuredMs } = event;
      const note = failure.code === "ABORTED" ? "You stopped it." : `${failure.message} ${failure.hint ?? ""}`.trim();
      const cut = changeLast(now, { state: "cut", note, ...(receipt ? { receipt } : { measuredMs }) });
      return receipt
        ? { ...cut, servedMs: receipt.cumulativeServedMs, lastReceiptHash: receipt.hash }
        : { ...cut, servedMs: now.servedMs + measuredMs, lastReceiptHash: undefined };
    }
    case "receipt found": {
      const { receipt } = event;
      return { ...changeLast(now, { receipt }), servedMs: receipt.cumulativeServedMs, lastReceiptHash: receipt.hash };
    }
    case "topped up":
      return now.payment ? { ...now, payment: { ...now.payment, deposit: event.deposit, end: event.end } } : now;
    case "ended":
      return { ...now, payment: undefined, servedMs: 0, lastReceiptHash: zeroHash, ending: event.ending };
  }
}

const changeLast = (now: Conversation, change: Partial<Turn>): Conversation => ({
  ...now,
  turns: now.turns.map((turn, index) => (index === now.turns.length - 1 ? { ...turn, ...change } : turn)),
});

/** Nobody reads that answer any more; its receipt may still be had from the provider. */
export function afterReload(kept: Conversation): Conversation {
  if (kept.turns.at(-1)?.state !== "coming") return kept;
  return { ...changeLast(kept, { state: "cut", note: "The page was left while it came." }), lastReceiptHash: undefined };
}

/** What the served time costs, the answer under way included; never above the deposit. */
export const costOf = ({ ratePerSecond, deposit }: Pick<Payment, "ratePerSecond" | "deposit">, servedMs: number): bigint => {
  const cost = costDown(BigInt(ratePerSecond), servedMs);
  return cost < BigInt(deposit) ? cost : BigInt(deposit);
};

/** As a list names it. */
export const titleOf = ({ turns }: Conversation): string =>
  turns[0]?.content
    .replace(/[#*_`>~]+/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 80) || "New conversation";
