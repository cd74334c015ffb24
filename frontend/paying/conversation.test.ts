import { AppError } from "@clawcompute/lib/errors";
import { describe, expect, it } from "vitest";
import type { ChatStream } from "./chatStream.ts";
import { costOf, emptyConversation, nextConversation } from "./conversation.ts";

const stream: ChatStream = {
  id: "7",
  providerId: 1,
  model: "m",
  endpoint: "http://127.0.0.1:1",
  signers: [],
  ratePerSecond: "1000",
  start: 100,
  end: 160,
  token: "t",
};
const asked = nextConversation(nextConversation(emptyConversation, { kind: "opened", stream }), { kind: "asked", text: "hello" });
const coming = nextConversation(nextConversation(asked, { kind: "text", text: "good " }), { kind: "text", text: "day" });

describe("nextConversation", () => {
  it("behavior: an answer with a receipt counts the receipt's time", () => {
    const answered = nextConversation(coming, { kind: "answered", servedMs: 420, cumulativeMs: 420, receiptHash: "0x01" });
    expect(answered.turns.at(-1)).toEqual({ role: "assistant", content: "good day", state: "whole", servedMs: 420, receiptHash: "0x01" });
    expect([answered.servedMs, answered.lastReceiptHash]).toEqual([420, "0x01"]);
  });

  it("behavior: an answer without a receipt counts the measured time and looks cut", () => {
    const cut = nextConversation(coming, { kind: "cut", measuredMs: 300, failure: new AppError("ABORTED", "Stopped.") });
    expect([cut.turns.at(-1)?.state, cut.turns.at(-1)?.note, cut.servedMs]).toEqual(["cut", "You stopped it.", 300]);
  });

  it("behavior: an answer that was coming at a reload is cut", () => {
    expect(nextConversation(emptyConversation, { kind: "restored", conversation: coming }).turns.at(-1)?.state).toBe("cut");
  });
});

describe("costOf", () => {
  it("behavior: by the millisecond, rounded down, never above the deposit", () => {
    expect([costOf(stream, 1500), costOf(stream, 0, 1), costOf(stream, 1e9)]).toEqual([1500n, 1n, 60_000n]);
  });
});
