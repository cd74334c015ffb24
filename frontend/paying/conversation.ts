import type { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import { ZERO_HASH } from "@clawcompute/lib/protocol";
import type { Hash } from "viem";
import type { ChatStream, Ending } from "./chatStream.ts";

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** Of an answer: still coming, whole, or broken off. */
  readonly state?: "coming" | "whole" | "cut";
  /** What a reader should know about it. */
  readonly note?: string;
  /** By the provider's signed receipt, which passed every check. */
  readonly servedMs?: number;
  readonly receiptHash?: Hash;
}

/** One conversation and the stream that pays for it. Survives a reload; an answer that was coming then is cut. */
export interface Conversation {
  readonly turns: readonly Turn[];
  readonly stream: ChatStream | undefined;
  /** Served time of all answers: by receipts, and by this page's own watch where none came. */
  readonly servedMs: number;
  readonly lastReceiptHash: Hash;
  readonly ending: Ending | undefined;
}

export const emptyConversation: Conversation = {
  turns: [],
  stream: undefined,
  servedMs: 0,
  lastReceiptHash: ZERO_HASH,
  ending: undefined,
};

export type ConversationEvent =
  | { readonly kind: "opened"; readonly stream: ChatStream }
  | { readonly kind: "asked"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "answered";
      readonly servedMs: number;
      readonly cumulativeMs: number;
      readonly receiptHash: Hash;
      readonly note?: string;
    }
  | {
      readonly kind: "cut";
      readonly measuredMs: number;
      readonly failure: AppError;
      readonly receipt?: { hash: Hash; servedMs: number; cumulativeMs: number };
    }
  | { readonly kind: "ended"; readonly ending: Ending }
  | { readonly kind: "restored"; readonly conversation: Conversation }
  | { readonly kind: "cleared" };

export function nextConversation(now: Conversation, event: ConversationEvent): Conversation {
  switch (event.kind) {
    case "opened":
      return { ...now, stream: event.stream, servedMs: 0, lastReceiptHash: ZERO_HASH, ending: undefined };
    case "asked":
      return { ...now, turns: [...now.turns, { role: "user", content: event.text }, { role: "assistant", content: "", state: "coming" }] };
    case "text":
      return { ...now, turns: changeLast(now.turns, (turn) => ({ ...turn, content: turn.content + event.text })) };
    case "answered": {
      const { servedMs, cumulativeMs, receiptHash, note } = event;
      const state = note === undefined ? "whole" : "cut";
      const turns = changeLast(now.turns, (turn) => ({ ...turn, state, servedMs, receiptHash, ...(note === undefined ? {} : { note }) }));
      return { ...now, turns, servedMs: cumulativeMs, lastReceiptHash: receiptHash };
    }
    case "cut": {
      const note = event.failure.code === "ABORTED" ? "You stopped it." : `${event.failure.message} ${event.failure.hint ?? ""}`.trim();
      const { receipt } = event;
      const proof = receipt ? { servedMs: receipt.servedMs, receiptHash: receipt.hash } : {};
      const turns = changeLast(now.turns, (turn) => ({ ...turn, state: "cut", note, ...proof }));
      const servedMs = receipt ? receipt.cumulativeMs : now.servedMs + event.measuredMs;
      return { ...now, turns, servedMs, lastReceiptHash: receipt?.hash ?? now.lastReceiptHash };
    }
    case "ended":
      return { ...now, stream: undefined, ending: event.ending };
    case "restored":
      return { ...event.conversation, turns: event.conversation.turns.map(afterReload) };
    case "cleared":
      return emptyConversation;
  }
}

const changeLast = (turns: readonly Turn[], change: (turn: Turn) => Turn): Turn[] =>
  turns.map((turn, index) => (index === turns.length - 1 ? change(turn) : turn));

const afterReload = (turn: Turn): Turn =>
  turn.state === "coming" ? { ...turn, state: "cut", note: "The page was left while it came." } : turn;

/** What the served time costs, the answer under way included. */
export const costOf = (stream: ChatStream, servedMs: number, comingMs = 0): bigint => {
  const cost = costDown(BigInt(stream.ratePerSecond), servedMs + comingMs);
  const deposit = BigInt(stream.ratePerSecond) * BigInt(stream.end - stream.start);
  return cost < deposit ? cost : deposit;
};

const key = (chainId: number, payer: string) => `clawcompute.chat.${chainId}.${payer.toLowerCase()}`;

export function saveConversation(chainId: number, payer: string, conversation: Conversation): void {
  const text = JSON.stringify(conversation, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  try {
    localStorage.setItem(key(chainId, payer), text);
  } catch {
    // Storage is full or forbidden: the conversation lives as long as the page.
  }
}

export function loadConversation(chainId: number, payer: string): Conversation | undefined {
  try {
    const text = localStorage.getItem(key(chainId, payer));
    return text === null
      ? undefined
      : JSON.parse(text, (name, value) => (["paid", "refunded"].includes(name) ? BigInt(String(value).replace(/n$/, "")) : value));
  } catch {
    return undefined;
  }
}
