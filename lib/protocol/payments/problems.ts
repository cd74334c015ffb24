import type { ErrorCode } from "../../errors/index.ts";

const base = "https://paymentauth.org/problems/session/";

/** `type` of a problem about a channel, as the draft names it; other codes keep their own. */
export const sessionProblems: Partial<Record<ErrorCode, string>> = {
  VOUCHER_INVALID: `${base}invalid-signature`,
  VOUCHER_ABOVE_DEPOSIT: `${base}amount-exceeds-deposit`,
  VOUCHER_NEEDED: `${base}insufficient-balance`,
  CHANNEL_UNKNOWN: `${base}channel-not-found`,
  CHANNEL_CLOSED: `${base}channel-finalized`,
  CHALLENGE_UNKNOWN: `${base}challenge-not-found`,
};
