import { z } from "zod";
import { AppError } from "../../errors/index.ts";
import { fromBase64, toBase64Url } from "./base64url.ts";
import type { Challenge } from "./challenge.ts";
import { address, amount, hex32, signature } from "./fields.ts";

const cumulativeAmount = amount.refine((value) => value < 2n ** 128n, "must be below 2^128");

const authorization3009 = z.object({
  from: address,
  to: address,
  value: amount,
  validAfter: amount,
  validBefore: amount,
  nonce: hex32,
});
const permit2 = <W extends z.ZodRawShape>(witness: W) =>
  z.object({
    from: address,
    permitted: z.object({ token: address, amount }),
    nonce: amount,
    deadline: amount,
    witness: z.object(witness),
  });
const openWitness = { payee: address, salt: hex32, authorizedSigner: address };

const opening = {
  action: z.literal("open"),
  channelId: hex32,
  cumulativeAmount,
  salt: hex32,
  /** Absent: the payer. */
  authorizedSigner: address.optional(),
};

export const openPayload = z.discriminatedUnion("type", [
  z.object({ ...opening, type: z.literal("hash"), hash: hex32, signature }),
  z.object({ ...opening, type: z.literal("authorization"), authorization: authorization3009, signature, voucherSignature: signature }),
  z.object({ ...opening, type: z.literal("permit2"), authorization: permit2(openWitness), signature, voucherSignature: signature }),
]);
export type OpenPayload = z.infer<typeof openPayload>;

const toppingUp = { action: z.literal("topUp"), channelId: hex32, additionalDeposit: cumulativeAmount };
export const topUpPayload = z.discriminatedUnion("type", [
  z.object({ ...toppingUp, type: z.literal("hash"), hash: hex32 }),
  z.object({ ...toppingUp, type: z.literal("authorization"), salt: hex32, authorization: authorization3009, signature }),
  z.object({ ...toppingUp, type: z.literal("permit2"), authorization: permit2({ channelId: hex32 }), signature }),
]);
export type TopUpPayload = z.infer<typeof topUpPayload>;

const voucher = { channelId: hex32, cumulativeAmount, signature };
export const voucherPayload = z.object({ action: z.literal("voucher"), ...voucher });
export type VoucherPayload = z.infer<typeof voucherPayload>;
export const closePayload = z.object({ action: z.literal("close"), ...voucher });
export type ClosePayload = z.infer<typeof closePayload>;

/** What a channel's credential says, after the challenge that it answers. */
export const sessionPayload = z.union([voucherPayload, openPayload, topUpPayload, closePayload]);
export type SessionPayload = z.infer<typeof sessionPayload>;

export interface Credential<P = SessionPayload> {
  /** Echoed as it came. */
  readonly challenge: Challenge;
  readonly payload: P;
  /** `did:pkh:eip155:<chain>:<payer>`; needed with `type: "hash"`. */
  readonly source?: string;
}

const text = z.string().max(16_384);
const credential = z.object({
  challenge: z.object({
    id: text,
    realm: text,
    method: text,
    intent: text,
    request: text,
    expires: text.optional(),
    digest: text.optional(),
    description: text.optional(),
    opaque: text.optional(),
    header: text.optional(),
  }),
  payload: sessionPayload,
  source: z.string().max(256).optional(),
});

/** Value of `Payment-Authorization` (or `Authorization`). Bigints become decimal strings. */
export function encodeCredential({ challenge, payload, source }: Credential<object>): string {
  const wire = { challenge, payload, ...(source === undefined ? {} : { source }) };
  return `Payment ${toBase64Url(JSON.stringify(wire, (_, value) => (typeof value === "bigint" ? value.toString() : value)))}`;
}

/** Throws BAD_REQUEST. Nothing in it is believed yet: not the challenge, not a signature. */
export function decodeCredential(header: string): Credential {
  const [, encoded] = /^\s*Payment\s+([\w+/=-]+)\s*$/i.exec(header.slice(0, MAX_HEADER)) ?? [];
  let wire: unknown;
  try {
    wire = JSON.parse(fromBase64(encoded ?? ""));
  } catch (cause) {
    throw new AppError("BAD_REQUEST", "The payment credential is not base64url of JSON.", { param: "payment-authorization", cause });
  }
  const result = credential.safeParse(wire);
  if (result.success) return result.data as Credential;
  const issue = result.error.issues[0];
  throw new AppError("BAD_REQUEST", `The payment credential is malformed at ${issue?.path.join(".") || "its root"}: ${issue?.message}.`, {
    param: "payment-authorization",
  });
}

const MAX_HEADER = 32_768;
