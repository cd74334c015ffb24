import { type Hex, hashTypedData, maxUint256 } from "viem";
import { expect, test } from "vitest";
import { hashReceipt } from "./receiptHash.ts";
import { endReasons, type Receipt, receiptTypedData } from "./receipts.ts";

const domain = { chainId: 31337, verifyingContract: "0x5FbDB2315678afecb367f032d93F642f64180aa3" } as const;
const hex = (digit: string): Hex => `0x${digit.repeat(64)}`;

const plain: Receipt = {
  kind: "stream",
  payment: hex("1"),
  providerId: 7,
  requestId: "r-1",
  model: "m",
  startedAtMs: 1_700_000_000_000,
  firstTokenAtMs: 0,
  endedAtMs: 1_700_000_004_200,
  servedMs: 4_200,
  unitsIn: 3,
  unitsOut: 0,
  amount: 420_000_000_000_000n,
  cumulativeServedMs: Number.MAX_SAFE_INTEGER,
  cumulativeAmount: maxUint256,
  bodyHash: hex("a"),
  previousReceiptHash: hex("0"),
  reason: "stop",
};

test("behavior: says what the general EIP-712 encoder says, for every ending, other chains and odd names", () => {
  const receipts: Receipt[] = [
    ...endReasons.map((reason) => ({ ...plain, reason })),
    { ...plain, kind: "channel", model: 'größe 🦀 "x"', requestId: "", bodyHash: `0x${"aB".repeat(32)}` },
  ];
  for (const receipt of receipts) {
    for (const where of [
      domain,
      { ...domain, chainId: 56 },
      { ...domain, verifyingContract: "0x0000000000000000000000000000000000000001" } as const,
    ]) {
      expect(hashReceipt(where, receipt)).toBe(hashTypedData(receiptTypedData(where, receipt)));
    }
  }
});

test("error: what does not fit is not hashed", () => {
  for (const wrong of [{ amount: maxUint256 + 1n }, { amount: -1n }, { servedMs: 1.5 }, { bodyHash: "0x12" as Hex }]) {
    expect(() => hashReceipt(domain, { ...plain, ...wrong })).toThrow();
  }
});
