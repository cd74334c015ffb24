import { AppError } from "@clawcompute/lib/errors";
import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { afterReload, type Conversation, costOf, type KeptReceipt, newConversation, nextConversation, titleOf } from "./conversation.ts";
import { conversationAsJson, conversationAsMarkdown } from "./exportConversation.ts";
import { keptConversations, keptTokens } from "./keptConversations.ts";
import type { Payment } from "./payment.ts";

const payment: Payment = {
  kind: "stream",
  id: "7",
  providerId: 1,
  model: "m",
  endpoint: "http://127.0.0.1:1",
  signers: [],
  asset: zeroAddress,
  ratePerSecond: "1000",
  deposit: "60000",
  start: 100,
  end: 160,
  token: "secret-token-of-7",
};
const receipt: KeptReceipt = {
  signed: { receipt: { amount: "420" } },
  hash: "0x01",
  servedMs: 420,
  cumulativeServedMs: 420,
  paidBy: "7",
};
const opened = nextConversation(newConversation("c1", 1), {
  kind: "opened",
  opened: { payment, servedMs: 0, lastReceiptHash: "0x00" },
});
const asked = nextConversation(opened, { kind: "asked", text: "hello  there", at: 2 });
const coming = (["good ", "day"] as const).reduce<Conversation>((now, text) => nextConversation(now, { kind: "text", text }), asked);
const answered = nextConversation(coming, { kind: "answered", receipt });

describe("nextConversation", () => {
  it("behavior: an answer with a receipt counts the receipt's time", () => {
    expect(answered.turns.at(-1)).toEqual({ role: "assistant", content: "good day", at: 2, model: "m", state: "whole", receipt });
    expect([answered.servedMs, answered.lastReceiptHash]).toEqual([420, "0x01"]);
  });

  it("behavior: an answer without a receipt counts the measured time, looks cut, and lets the next receipt follow any (P7)", () => {
    const cut = nextConversation(coming, { kind: "cut", measuredMs: 300, failure: new AppError("ABORTED", "Stopped.") });
    expect([cut.turns.at(-1)?.state, cut.turns.at(-1)?.note, cut.servedMs, cut.lastReceiptHash]).toEqual([
      "cut",
      "You stopped it.",
      300,
      undefined,
    ]);
  });

  it("behavior: a receipt that is found later takes the measured time's place", () => {
    const found = nextConversation(afterReload(coming), { kind: "receipt found", receipt });
    expect([found.turns.at(-1)?.receipt, found.servedMs, found.lastReceiptHash]).toEqual([receipt, 420, "0x01"]);
  });

  it("behavior: the end of a payment is the end of its receipts", () => {
    const ending = { kind: "settled", asset: zeroAddress, paid: 420n, refunded: 59_580n, hash: undefined, overclaimed: false } as const;
    const ended = nextConversation(answered, { kind: "ended", ending });
    expect([ended.payment, ended.servedMs, ended.ending]).toEqual([undefined, 0, ending]);
  });
});

describe("afterReload", () => {
  it("behavior: an answer that was coming is cut, a whole one stays", () => {
    expect([afterReload(coming).turns.at(-1)?.state, afterReload(answered)]).toEqual(["cut", answered]);
  });
});

describe("costOf", () => {
  it("behavior: by the millisecond, rounded down, never above the deposit", () => {
    expect([costOf(payment, 1500), costOf(payment, 1), costOf(payment, 1e9)]).toEqual([1500n, 1n, 60_000n]);
  });
});

describe("keptConversations", () => {
  const storage = () => {
    const entries = new Map<string, string>();
    return {
      get length() {
        return entries.size;
      },
      key: (index: number) => [...entries.keys()][index] ?? null,
      getItem: (key: string) => entries.get(key) ?? null,
      setItem: (key: string, value: string) => void entries.set(key, value),
      removeItem: (key: string) => void entries.delete(key),
      clear: () => entries.clear(),
    } as Storage;
  };

  it("behavior: come back newest first, each payer's own, amounts as bigint", () => {
    const disk = storage();
    const ending = { kind: "settled", asset: zeroAddress, paid: 1n, refunded: 2n, hash: undefined, overclaimed: false } as const;
    const kept = keptConversations(disk, 1, "0xA");
    kept.save(answered);
    kept.save({ ...newConversation("c2", 5), ending });
    keptConversations(disk, 1, "0xB").save(newConversation("c3", 9));
    expect(kept.load().map(({ id }) => id)).toEqual(["c2", "c1"]);
    expect(kept.load()[0]?.ending).toMatchObject({ paid: 1n, refunded: 2n });
    expect([...keptTokens(disk, 1, "0xa")]).toEqual([["7", "secret-token-of-7"]]);
  });

  it("error: what is not a conversation is passed over", () => {
    const disk = storage();
    disk.setItem("clawcompute.chat.1.0xa.x", "{");
    disk.setItem("clawcompute.chat.1.0xa.y", '{"turns":1}');
    expect(keptConversations(disk, 1, "0xA").load()).toEqual([]);
  });
});

describe("exports", () => {
  it("behavior: JSON holds the signed receipts and no token", () => {
    const text = conversationAsJson(answered);
    expect(JSON.parse(text)).toMatchObject({ id: "c1", receipts: [receipt.signed], payment: { id: "7" } });
    expect(text).not.toContain(payment.token);
  });

  it("behavior: markdown tells who said what, and what it cost", () => {
    expect(conversationAsMarkdown(answered, "ETH")).toMatchInlineSnapshot(`
      "# hello there

      ## You

      hello  there

      ## m

      good day

      _0.42 s served, 0.00000000000000042 ETH, receipt 0x01_
      "
    `);
    expect(titleOf(answered)).toBe("hello there");
  });
});
