import { type Address, type Hex, isHex, pad, toHex } from "viem";
import { z } from "zod";
import { AppError } from "../errors/index.ts";
import { costDown, parseRaw } from "../money/index.ts";
import { type Domain, receiptTypes } from "./typedData.ts";

/** Why an answer ended. Only `stop` and `tool_calls` are whole answers; `length` is the caller's own token limit. */
export const endReasons = [
  "stop",
  "length",
  "tool_calls",
  "content_filter",
  "runway",
  "cancelled",
  "client_gone",
  "upstream_error",
  "draining",
] as const;
export type EndReason = (typeof endReasons)[number];

/** What a provider signs at the end of every answer. Times are unix ms, amounts raw units. */
export interface Receipt {
  readonly kind: "stream" | "channel" | "balance";
  /** Stream id as 32 bytes, or the channel's or balance's id. */
  readonly payment: Hex;
  readonly providerId: number;
  readonly requestId: string;
  readonly model: string;
  readonly startedAtMs: number;
  /** 0 when no token was produced. */
  readonly firstTokenAtMs: number;
  readonly endedAtMs: number;
  /** Time added to the stream's meter by this answer; overlapping answers on one stream are not counted twice. */
  readonly servedMs: number;
  readonly unitsIn: number;
  readonly unitsOut: number;
  readonly amount: bigint;
  readonly cumulativeServedMs: number;
  readonly cumulativeAmount: bigint;
  /** SHA-256 of what was delivered: the JSON body, or each SSE event's data followed by a newline, without receipt and [DONE]. */
  readonly bodyHash: Hex;
  /** Hash of the receipt before this one on the same stream; zero for the first. */
  readonly previousReceiptHash: Hex;
  readonly reason: EndReason;
}

export interface Settlement {
  readonly streamId: bigint;
  readonly owed: bigint;
  readonly signature: Hex;
}

export interface SignedReceipt {
  readonly receipt: Receipt;
  readonly signature: Hex;
  readonly signer: Address;
  /** Present when the request asked for it; the stream serves nothing after it was signed. */
  readonly settlement?: Settlement;
}

export const ZERO_HASH: Hex = pad("0x0", { size: 32 });

/** A stream id in a receipt's `payment` field. */
export const paymentOfStream = (streamId: bigint): Hex => toHex(streamId, { size: 32 });

export const receiptTypedData = ({ chainId, verifyingContract }: Domain, receipt: Receipt) =>
  ({
    domain: { name: "ClawCompute Receipt", version: "1", chainId, verifyingContract },
    types: receiptTypes,
    primaryType: "Receipt",
    message: {
      ...receipt,
      providerId: BigInt(receipt.providerId),
      startedAtMs: BigInt(receipt.startedAtMs),
      firstTokenAtMs: BigInt(receipt.firstTokenAtMs),
      endedAtMs: BigInt(receipt.endedAtMs),
      servedMs: BigInt(receipt.servedMs),
      unitsIn: BigInt(receipt.unitsIn),
      unitsOut: BigInt(receipt.unitsOut),
      cumulativeServedMs: BigInt(receipt.cumulativeServedMs),
    },
  }) as const;

export { hashReceipt } from "./receiptHash.ts";

const hash = z.custom<Hex>((value) => isHex(value) && value.length === 66, "must be 32 bytes in hex");
const signature = z.custom<Hex>((value) => isHex(value) && value.length >= 4 && value.length <= 8194, "must be a signature in hex");
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address") as unknown as z.ZodType<Address>;
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const raw = z.string().transform((value, context) => {
  try {
    return parseRaw(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

export const settlementWire = z.object({ streamId: raw, owed: raw, signature });

export const signedReceiptWire = z.object({
  receipt: z.object({
    kind: z.enum(["stream", "channel", "balance"]),
    payment: hash,
    providerId: count,
    requestId: z.string().min(1).max(64),
    model: z.string().min(1).max(64),
    startedAtMs: count,
    firstTokenAtMs: count,
    endedAtMs: count,
    servedMs: count,
    unitsIn: count,
    unitsOut: count,
    amount: raw,
    cumulativeServedMs: count,
    cumulativeAmount: raw,
    bodyHash: hash,
    previousReceiptHash: hash,
    reason: z.enum(endReasons),
  }),
  signature,
  signer: address,
  settlement: settlementWire.optional(),
});

/** JSON-safe form: every bigint a decimal string. */
export function encodeSignedReceipt({ receipt, settlement, ...signed }: SignedReceipt): Record<string, unknown> {
  return {
    receipt: { ...receipt, amount: String(receipt.amount), cumulativeAmount: String(receipt.cumulativeAmount) },
    ...signed,
    ...(settlement && { settlement: { ...settlement, streamId: String(settlement.streamId), owed: String(settlement.owed) } }),
  };
}

/** Decodes what a provider sent. Throws PROVIDER_DISHONEST on any wrong shape. */
export function decodeSignedReceipt(value: unknown): SignedReceipt {
  const result = signedReceiptWire.safeParse(value);
  if (result.success) return result.data as SignedReceipt;
  const issue = result.error.issues[0];
  throw new AppError("PROVIDER_DISHONEST", `The receipt is malformed at ${issue?.path.join(".") || "its root"}.`);
}

export interface ReceiptExpectation {
  readonly streamId: bigint;
  readonly providerId: number;
  readonly ratePerSecond: bigint;
  /** Addresses that may sign: the provider's signer and its owner. */
  readonly signers: readonly Address[];
  readonly bodyHash: Hex;
  readonly previousReceiptHash: Hex;
  /** Served time the payer itself measured from sending to the last byte, in ms. */
  readonly measuredMs: number;
  /** Receipts of this stream before this one, in ms. */
  readonly previousServedMs: number;
  /** How much longer than measured the provider may claim, in ms. Default 250. */
  readonly toleranceMs?: number;
}

/**
 * The payer's own checks of a receipt, apart from the signature (see `proofs.ts`): it must be about this stream, this
 * answer and this much time, and its sums must add up. Throws PROVIDER_DISHONEST naming the first lie.
 */
export function checkReceipt({ receipt, signer, settlement }: SignedReceipt, expected: ReceiptExpectation): void {
  const claims: readonly [boolean, string][] = [
    [receipt.kind === "stream" && receipt.payment === paymentOfStream(expected.streamId), "names another stream"],
    [receipt.providerId === expected.providerId, "names another provider"],
    [expected.signers.some((allowed) => allowed.toLowerCase() === signer.toLowerCase()), "is signed by a stranger"],
    [receipt.bodyHash.toLowerCase() === expected.bodyHash.toLowerCase(), "is about another answer (body hash)"],
    [receipt.previousReceiptHash.toLowerCase() === expected.previousReceiptHash.toLowerCase(), "does not follow the receipt before it"],
    [receipt.servedMs <= expected.measuredMs + (expected.toleranceMs ?? 250), "claims more time than was measured here"],
    [receipt.cumulativeServedMs === expected.previousServedMs + receipt.servedMs, "does not add up (time)"],
    [receipt.cumulativeAmount === costDown(expected.ratePerSecond, receipt.cumulativeServedMs), "does not add up (amount)"],
    [settlement === undefined || settlement.streamId === expected.streamId, "carries a settlement of another stream"],
    [settlement === undefined || settlement.owed === receipt.cumulativeAmount, "carries a settlement of another amount"],
  ];
  const lie = claims.find(([holds]) => !holds);
  if (lie) throw new AppError("PROVIDER_DISHONEST", `The receipt ${lie[1]}.`, { facts: { requestId: receipt.requestId } });
}
