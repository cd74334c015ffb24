import { createHash } from "node:crypto";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { AppError } from "../errors/index.ts";
import {
  checkReceipt,
  decodeSignedReceipt,
  encodeSignedReceipt,
  hashReceipt,
  paymentOfStream,
  type Receipt,
  type SignedReceipt,
  sessionRequest,
  signReceipt,
  signSessionProof,
  signSettlement,
  verifyReceiptSignature,
  verifySessionProof,
  verifySettlementSignature,
  ZERO_HASH,
} from "./index.ts";

const payer = privateKeyToAccount(`0x${"11".repeat(32)}`);
const provider = privateKeyToAccount(`0x${"22".repeat(32)}`);
const domain = { chainId: 31337, verifyingContract: "0x00000000000000000000000000000000000000aa" } as const;
const nonce = `0x${"07".repeat(32)}` as const;

const receipt: Receipt = {
  kind: "stream",
  payment: paymentOfStream(7n),
  providerId: 3,
  requestId: "r-1",
  model: "claw-tiny-1",
  startedAtMs: 1_800_000_000_000,
  firstTokenAtMs: 1_800_000_000_120,
  endedAtMs: 1_800_000_004_200,
  servedMs: 4200,
  unitsIn: 12,
  unitsOut: 40,
  amount: 420_000n,
  cumulativeServedMs: 4200,
  cumulativeAmount: 420_000n,
  bodyHash: `0x${createHash("sha256").update("hello").digest("hex")}`,
  previousReceiptHash: ZERO_HASH,
  reason: "stop",
};
const expected = {
  streamId: 7n,
  providerId: 3,
  ratePerSecond: 100_000n,
  signers: [provider.address],
  bodyHash: receipt.bodyHash,
  previousReceiptHash: ZERO_HASH,
  measuredMs: 4300,
  previousServedMs: 0,
};
const signed: SignedReceipt = { receipt, signature: "0x1234", signer: provider.address };

describe("session proof", () => {
  const now = 1_800_000_000;
  const message = { streamId: 7n, issuedAt: BigInt(now), expiresAt: BigInt(now + 60), nonce };
  const verify = async (change: object = {}, signer = payer, nowSeconds = now) =>
    verifySessionProof({
      domain,
      message,
      signature: await signSessionProof(signer, domain, message),
      payer: payer.address,
      nowSeconds,
      ...change,
    });

  test("behavior: the payer's own proof is accepted, also at the edge of the clock skew", async () => {
    await verify();
    await verify({}, payer, now - 30);
    await verify({}, payer, now + 90);
  });

  test.each([
    ["a stranger's key", "BAD_SIGNATURE", () => verify({}, provider)],
    ["another chain", "BAD_SIGNATURE", () => verify({ domain: { ...domain, chainId: 56 } })],
    ["another contract", "BAD_SIGNATURE", () => verify({ domain: { ...domain, verifyingContract: provider.address } })],
    ["another stream", "BAD_SIGNATURE", () => verify({ message: { ...message, streamId: 8n } })],
    ["another nonce", "BAD_SIGNATURE", () => verify({ message: { ...message, nonce: ZERO_HASH } })],
    ["garbage", "BAD_SIGNATURE", () => verify({ signature: "0x1234" })],
    ["late", "PROOF_EXPIRED", () => verify({}, payer, now + 91)],
    ["early", "PROOF_NOT_YET_VALID", () => verify({}, payer, now - 31)],
    ["long-lived", "BAD_REQUEST", () => verify({ message: { ...message, expiresAt: message.expiresAt + 1n } })],
    ["backwards", "BAD_REQUEST", () => verify({ message: { ...message, expiresAt: message.issuedAt } })],
  ])("error: %s", async (_, code, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ name: "AppError", code });
  });

  test("behavior: a contract wallet answers for itself (ERC-1271)", async () => {
    await verify({ signature: "0x1234", contractSignature: async () => true });
    await expect(verify({ signature: "0x1234", contractSignature: async () => false })).rejects.toMatchObject({ code: "BAD_SIGNATURE" });
  });

  test("error: the request's shape is checked field by field", () => {
    const good = { kind: "stream", streamId: "7", chainId: 31337, issuedAt: now, expiresAt: now + 60, nonce, signature: "0x1234" };
    expect(sessionRequest.safeParse(good).success).toBe(true);
    for (const [field, value] of Object.entries({
      kind: "gift",
      streamId: 7,
      chainId: -1,
      issuedAt: "now",
      nonce: "0x12",
      signature: "0xzz",
    })) {
      const result = sessionRequest.safeParse({ ...good, [field]: value });
      expect(result.error?.issues[0]?.path).toEqual([field]);
    }
  });
});

describe("settlement", () => {
  const message = { streamId: 7n, owed: 420_000n };

  test("behavior: verifies for its stream and amount only", async () => {
    const signature = await signSettlement(provider, domain, message);
    await verifySettlementSignature(domain, message, signature, provider.address);
    for (const wrong of [
      { ...message, owed: 1n },
      { ...message, streamId: 8n },
    ])
      await expect(verifySettlementSignature(domain, wrong, signature, provider.address)).rejects.toMatchObject({
        code: "PROVIDER_DISHONEST",
      });
  });
});

describe("receipt", () => {
  test("behavior: goes over the wire unchanged", () => {
    const whole = { ...signed, settlement: { streamId: 7n, owed: 420_000n, signature: "0x5678" as const } };
    expect(decodeSignedReceipt(JSON.parse(JSON.stringify(encodeSignedReceipt(whole))))).toEqual(whole);
  });

  test("behavior: every field is covered by the signature", async () => {
    const signature = await signReceipt(provider, domain, receipt);
    await verifyReceiptSignature(domain, receipt, signature, provider.address);
    for (const [field, value] of Object.entries(receipt)) {
      const forged =
        typeof value === "bigint"
          ? value + 1n
          : typeof value === "number"
            ? value + 1
            : field === "kind"
              ? "channel"
              : field === "reason"
                ? "length"
                : String(value).replace(/.$/, (last) => (last === "1" ? "2" : "1"));
      const other = { ...receipt, [field]: forged } as Receipt;
      expect(hashReceipt(domain, other)).not.toBe(hashReceipt(domain, receipt));
      await expect(verifyReceiptSignature(domain, other, signature, provider.address)).rejects.toMatchObject({
        code: "PROVIDER_DISHONEST",
      });
    }
  });

  test("behavior: an honest one passes the payer's checks", () => {
    expect(() => checkReceipt(signed, expected)).not.toThrow();
  });

  test.each([
    ["another stream", { receipt: { ...receipt, payment: paymentOfStream(8n) } }, {}],
    ["another provider", { receipt: { ...receipt, providerId: 4 } }, {}],
    ["a stranger's signature", { signer: payer.address }, {}],
    ["another answer", {}, { bodyHash: ZERO_HASH }],
    ["a gap in the chain", {}, { previousReceiptHash: receipt.bodyHash }],
    ["more time than measured", {}, { measuredMs: 3900 }],
    ["time that does not add up", { receipt: { ...receipt, cumulativeServedMs: 9000 } }, {}],
    ["an amount that does not add up", { receipt: { ...receipt, cumulativeAmount: 420_001n } }, {}],
    ["a settlement of another stream", { settlement: { streamId: 8n, owed: 420_000n, signature: "0x12" } }, {}],
    ["a settlement of another amount", { settlement: { streamId: 7n, owed: 420_001n, signature: "0x12" } }, {}],
  ] as const)("error: %s", (_, change, expectation) => {
    expect(() => checkReceipt({ ...signed, ...change } as SignedReceipt, { ...expected, ...expectation })).toThrow(
      expect.objectContaining({ code: "PROVIDER_DISHONEST" }),
    );
  });

  test("error: the decoder throws nothing but AppError, whatever it is given", () => {
    const good = encodeSignedReceipt(signed) as { receipt: Record<string, unknown> };
    const junk: unknown[] = [
      null,
      undefined,
      0,
      -1,
      Number.POSITIVE_INFINITY,
      "",
      "0x",
      [],
      {},
      "9".repeat(200),
      Number.NaN,
      { toString: null },
    ];
    for (const value of junk) expect(() => decodeSignedReceipt(value)).toThrow(AppError);
    for (const field of Object.keys(good.receipt))
      for (const value of junk) {
        try {
          decodeSignedReceipt({ ...good, receipt: { ...good.receipt, [field]: value } });
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }
  });
});
