import { z } from "zod";
import { AppError } from "../../errors/index.ts";
import { fromBase64, toBase64 } from "./base64url.ts";

/** One way to pay of an x402 v2 answer; `extra` depends on the scheme. */
export const paymentRequirements = z.looseObject({
  scheme: z.string().max(64),
  /** CAIP-2, such as `eip155:56`. */
  network: z.string().max(64),
  asset: z.string().max(64),
  /** Raw units. */
  amount: z.string().max(78),
  payTo: z.string().max(64),
  maxTimeoutSeconds: z.number(),
  extra: z.record(z.string(), z.unknown()).default({}),
});
export type PaymentRequirements = z.infer<typeof paymentRequirements>;

/** The header `PAYMENT-REQUIRED` of a 402. */
export const paymentRequired = z.looseObject({
  x402Version: z.literal(2),
  error: z.string().optional(),
  resource: z.looseObject({ url: z.string(), description: z.string().optional(), mimeType: z.string().optional() }),
  accepts: z.array(paymentRequirements),
  extensions: z.record(z.string(), z.unknown()).optional(),
});
export type PaymentRequired = z.infer<typeof paymentRequired>;

/** The header `PAYMENT-SIGNATURE` of a request. */
export const paymentPayload = z.looseObject({
  x402Version: z.literal(2),
  accepted: paymentRequirements,
  payload: z.record(z.string(), z.unknown()),
  extensions: z.record(z.string(), z.unknown()).optional(),
});
export type PaymentPayload = z.infer<typeof paymentPayload>;

/** The header `PAYMENT-RESPONSE`. */
export interface SettleResponse {
  readonly success: boolean;
  readonly transaction: string;
  readonly network: string;
  readonly payer?: string;
  readonly amount?: string;
  readonly errorReason?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export const networkOf = (chainId: number): string => `eip155:${chainId}`;

export const encodeX402 = (value: PaymentRequired | PaymentPayload | SettleResponse): string => toBase64(JSON.stringify(value));

export const decodePaymentRequired = (header: string): PaymentRequired => read(paymentRequired, header, "payment-required");

/** Throws BAD_REQUEST, as the decoder above. */
export const decodePaymentPayload = (header: string): PaymentPayload => read(paymentPayload, header, "payment-signature");

function read<T>(shape: z.ZodType<T>, header: string, param: string): T {
  try {
    return shape.parse(JSON.parse(fromBase64(header.slice(0, 65_536))));
  } catch (cause) {
    throw new AppError("BAD_REQUEST", `The header ${param} is malformed.`, { param, cause });
  }
}
