export { type ChatChunk, type ChatRequest, chatChunk, chatRequest, textOf } from "./chat.ts";
export { type ChunkHead, type Completion, createCompletion } from "./completion.ts";
export {
  assertProofTimes,
  CLOCK_SKEW_SECONDS,
  type ContractSignatureCheck,
  isSignedBy,
  PROOF_LIFETIME_SECONDS,
  type Recover,
  type Signer,
  signReceipt,
  signSessionProof,
  signSettlement,
  verifyReceiptSignature,
  verifySessionProof,
  verifySettlementSignature,
} from "./proofs.ts";
export {
  checkReceipt,
  decodeSignedReceipt,
  type EndReason,
  encodeSignedReceipt,
  endReasons,
  hashReceipt,
  paymentOfStream,
  type Receipt,
  type ReceiptExpectation,
  receiptTypedData,
  type Settlement,
  type SignedReceipt,
  ZERO_HASH,
} from "./receipts.ts";
export {
  type Access,
  type HealthResponse,
  headers,
  healthResponse,
  inferenceRequest,
  inferenceResponse,
  RECEIPT_KEY,
  type Route,
  type RouteName,
  routes,
  type SessionRequest,
  type SessionResponse,
  type SettleResponse,
  sessionRequest,
  sessionResponse,
  settleResponse,
} from "./routes.ts";
export { createSseReader, encodeSse, parseSse, type SseEvent, type SseReader } from "./sse.ts";
export {
  type Domain,
  type SessionProofMessage,
  type SettlementMessage,
  sessionProofTypedData,
  settlementTypedData,
} from "./typedData.ts";
