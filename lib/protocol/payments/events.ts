import { z } from "zod";
import { AppError } from "../../errors/index.ts";
import { fromBase64, toBase64Url } from "./base64url.ts";
import { amount, hex32 } from "./fields.ts";

/** Names of the events that speak of money inside a streamed answer; their data is no part of the answer or its hash. */
export const paymentEvents = { needVoucher: "payment-need-voucher", receipt: "payment-receipt", x402Response: "payment-response" } as const;

/** Sent early, at the low-water mark, and again when nothing came and the answer has to wait. Amounts are raw units. */
export const needVoucher = z.object({
  channelId: hex32,
  /** The least next voucher. Above `deposit`: top up first. */
  requiredCumulative: amount,
  acceptedCumulative: amount,
  deposit: amount,
});
export type NeedVoucher = z.infer<typeof needVoucher>;

/** Where a channel stands after a request: in the header of every answer, and the last payment event of a streamed one. */
export const channelReceipt = z.looseObject({
  method: z.literal("evm"),
  intent: z.literal("session"),
  status: z.literal("success"),
  timestamp: z.string().max(64),
  reference: hex32,
  challengeId: z.string().max(1024),
  channelId: hex32,
  chainId: z.int().positive(),
  acceptedCumulative: amount,
  /** Everything charged so far. */
  spent: amount,
  /** Milliseconds served for this request. */
  units: z.number().nonnegative().optional(),
  txHash: hex32.optional(),
  /** Beyond the draft: why the answer ended, such as `runway` when vouchers stopped (P7). */
  reason: z.string().max(32).optional(),
  /** Beyond the draft, of requests that only manage: the meter, and the newest signed receipt's hash. */
  servedMs: z.int().nonnegative().optional(),
  lastReceiptHash: hex32.optional(),
});
export type ChannelReceipt = z.infer<typeof channelReceipt>;

const plain = (value: object) => JSON.stringify(value, (_, entry) => (typeof entry === "bigint" ? entry.toString() : entry));

/** Data of an event. */
export const encodePaymentEvent = (event: NeedVoucher | ChannelReceipt): string => plain(event);

/** Value of the header `Payment-Receipt`. */
export const encodePaymentReceipt = (receipt: ChannelReceipt): string => toBase64Url(plain(receipt));

/** Throws PROVIDER_DISHONEST. */
export const decodeNeedVoucher = (data: string): NeedVoucher => read(needVoucher, () => JSON.parse(data));
export const decodeReceiptEvent = (data: string): ChannelReceipt => read(channelReceipt, () => JSON.parse(data));
export const decodePaymentReceipt = (header: string): ChannelReceipt => read(channelReceipt, () => JSON.parse(fromBase64(header)));

function read<T>(shape: z.ZodType<T>, parse: () => unknown): T {
  try {
    return shape.parse(parse());
  } catch (cause) {
    throw new AppError("PROVIDER_DISHONEST", "What the provider said of the payment is malformed.", { cause });
  }
}
