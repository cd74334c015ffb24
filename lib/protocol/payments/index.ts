export { fromBase64, toBase64, toBase64Url } from "./base64url.ts";
export {
  type Challenge,
  type CredentialType,
  credentialTypes,
  encodeRequest,
  findSessionChallenge,
  formatChallenge,
  parseChallenges,
  paymentHeaders,
  readSessionTerms,
  type SessionTerms,
  sessionTerms,
} from "./challenge.ts";
export {
  addressOfDid,
  type ChannelTerms,
  channelIdOf,
  channelOfPayment,
  didOf,
  hashVoucher,
  openNonceOf,
  PERMIT2_ADDRESS,
  type Permit,
  paymentOfChannel,
  permitOpenTypedData,
  permitTopUpTypedData,
  receiveAuthorizationTypedData,
  signVoucher,
  topUpNonceOf,
  type Voucher,
  voucherTypedData,
} from "./channels.ts";
export { type ChannelMeasure, checkChannelReceipt } from "./checkReceipt.ts";
export {
  type ClosePayload,
  type Credential,
  decodeCredential,
  encodeCredential,
  type OpenPayload,
  type SessionPayload,
  type TopUpPayload,
  type VoucherPayload,
} from "./credential.ts";
export {
  type ChannelReceipt,
  channelReceipt,
  decodeNeedVoucher,
  decodePaymentReceipt,
  decodeReceiptEvent,
  encodePaymentEvent,
  encodePaymentReceipt,
  type NeedVoucher,
  needVoucher,
  paymentEvents,
} from "./events.ts";
export { createExposure, type Exposure, type ExposureTerms } from "./exposure.ts";
export { sessionProblems } from "./problems.ts";
export { createStopwatch, type PayerClock, type Stopwatch } from "./stopwatch.ts";
export { createVouchers, type SignedVoucher, type Vouchers, type VouchersOptions } from "./vouchers.ts";
export {
  decodePaymentPayload,
  decodePaymentRequired,
  encodeX402,
  networkOf,
  type PaymentPayload,
  type PaymentRequired,
  type PaymentRequirements,
  type SettleResponse,
} from "./x402.ts";
