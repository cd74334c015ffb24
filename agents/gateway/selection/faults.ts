import { AppError } from "@clawcompute/lib/errors";
import { isClientFault } from "../ask.ts";

/**
 * Whose fault it is that nothing came. `client`: nobody else would do better. `own`: this side has no money or no chain. `stale`: the
 * stream is of no use any more, the provider may be fine. `busy`: no fault. `offer`: taken back or changed. `provider`: its own.
 */
export type Fault = "client" | "own" | "stale" | "busy" | "offer" | "gone" | "provider";

const stale = new Set([
  "TOKEN_MISSING",
  "TOKEN_UNKNOWN",
  "TOKEN_EXPIRED",
  "STREAM_ENDED",
  "STREAM_SETTLING",
  "STREAM_UNKNOWN",
  "RUNWAY_TOO_SHORT",
  "CHANNEL_UNKNOWN",
  "CHANNEL_CLOSED",
  "CHANNEL_CLOSING",
  "VOUCHER_NEEDED",
  "VOUCHER_ABOVE_DEPOSIT",
]);
const own = new Set([
  "BUDGET_EXCEEDED",
  "SPENDING_PAUSED",
  "WALLET_UNFUNDED",
  "WALLET_LOCKED",
  "CHAIN_UNAVAILABLE",
  "TRANSACTION_UNCERTAIN",
  "TRANSACTION_REPLACED",
  "INTERNAL",
]);
const busy = new Set(["BUSY", "RATE_LIMITED"]);
const offer = new Set(["DEPOSIT_ABOVE_LIMIT", "DRAINING", "MODEL_NOT_FOUND", "UNSUPPORTED", "RATE_TOO_LOW", "TRANSACTION_REVERTED"]);

/** What a provider said about itself: its lack of money, its chain and its bugs are never this gateway's own. */
export function saidByProvider(thrown: unknown): AppError {
  const error = AppError.from(thrown);
  if (!own.has(error.code)) return error;
  return new AppError("PROVIDER_FAILED", "The provider reported a fault of its own.", { facts: { said: error.code }, cause: error });
}

export function classify(error: AppError): Fault {
  const { code } = error;
  if (code === "ABORTED" || code === "CLIENT_GONE") return "gone";
  if (isClientFault(error)) return "client";
  if (own.has(code)) return "own";
  if (stale.has(code)) return "stale";
  if (busy.has(code)) return "busy";
  if (offer.has(code) || /^(STREAM_PAY|PAYMENT_CHANNEL|COMPUTE_REGISTRY)_/.test(code)) return "offer";
  return "provider";
}
