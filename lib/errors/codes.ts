/** What follows from a code. `type` is the OpenAI-compatible error type. */
export interface ErrorKind {
  readonly status: number;
  readonly type: string;
  readonly retryable?: boolean;
  readonly alert?: boolean;
  readonly hint?: string;
}

const invalid = (hint?: string): ErrorKind => ({ status: 400, type: "invalid_request_error", ...(hint ? { hint } : {}) });
const unauthorized = (hint: string): ErrorKind => ({ status: 401, type: "authentication_error", hint });
const payment = (hint: string): ErrorKind => ({ status: 402, type: "insufficient_quota", hint });
const refused = (hint: string): ErrorKind => ({ status: 403, type: "permission_error", hint });
const conflict = (hint: string): ErrorKind => ({ status: 409, type: "conflict_error", hint });
const busy = (hint: string): ErrorKind => ({ status: 429, type: "rate_limit_error", retryable: true, hint });
const unavailable = (hint: string): ErrorKind => ({ status: 503, type: "service_unavailable", retryable: true, alert: false, hint });
const upstream = (hint: string): ErrorKind => ({ status: 502, type: "upstream_error", alert: false, hint });
const internal = (hint?: string): ErrorKind => ({ status: 500, type: "server_error", ...(hint ? { hint } : {}) });

/** Every code of the system and what it means at a boundary. Add a row before throwing a new code. */
export const errorKinds = {
  // input
  BAD_REQUEST: invalid(),
  BODY_TOO_LARGE: { status: 413, type: "invalid_request_error", hint: "Send a smaller body." },
  BODY_TOO_SLOW: { status: 408, type: "invalid_request_error", hint: "Send the whole body at once." },
  BAD_JSON: invalid("Send a JSON object with content-type application/json."),
  BAD_AMOUNT: invalid('Give the amount as a decimal string such as "0.01".'),
  BAD_ADDRESS: invalid("Give a 0x-prefixed address of 20 bytes."),
  BAD_SIGNATURE: unauthorized("Sign the typed data as documented in lib/protocol/README.md, with the payer's key."),
  NOT_FOUND: { status: 404, type: "invalid_request_error", hint: "Check the path; GET /v1/models lists what is served." },
  METHOD_NOT_ALLOWED: { status: 405, type: "invalid_request_error", hint: "Use the method named in the allow header." },
  MODEL_NOT_FOUND: { status: 404, type: "invalid_request_error", hint: "GET /v1/models lists what is served." },
  CONTEXT_TOO_LONG: invalid("Shorten the conversation."),
  OUTPUT_CAP_TOO_HIGH: invalid("Ask for fewer tokens."),
  UNSUPPORTED: { status: 501, type: "invalid_request_error", alert: false, hint: "Use a provider whose model offers this." },
  // configuration
  CONFIG_INVALID: {
    status: 500,
    type: "server_error",
    hint: "Correct the variable named in the message; .env.example documents each one.",
  },
  DEV_KEY_ON_PUBLIC_CHAIN: { status: 500, type: "server_error", hint: "Use a key of your own: development keys are known to everybody." },
  // proof and session
  PROOF_EXPIRED: unauthorized("Sign a new proof: proofs are valid for at most 60 seconds."),
  PROOF_NOT_YET_VALID: unauthorized("Check your clock against the chain's time."),
  PROOF_REPLAYED: unauthorized("Use a new random nonce for each proof."),
  WRONG_CHAIN: unauthorized("Sign for the chain this provider serves."),
  WRONG_PROVIDER: unauthorized("This stream pays somebody else: open one to this provider."),
  TOKEN_MISSING: payment("Open a stream to this provider and POST /v1/sessions for a token."),
  TOKEN_UNKNOWN: unauthorized("POST /v1/sessions for a new token."),
  TOKEN_EXPIRED: unauthorized("POST /v1/sessions for a new token."),
  // the gateway's own clients
  CLIENT_KEY_UNKNOWN: unauthorized("Send the gateway's API key as bearer token."),
  ORIGIN_REFUSED: refused("Allow the origin in GATEWAY_ORIGINS if its pages may spend this wallet's money."),
  // stream and money
  STREAM_UNKNOWN: { status: 404, type: "invalid_request_error", hint: "Wait until the opening transaction is confirmed, then try again." },
  STREAM_ENDED: payment("Open a new stream, or top up before the end."),
  STREAM_SETTLING: conflict("This stream was settled; open a new one."),
  RATE_TOO_LOW: payment("Open a stream at the provider's price or above."),
  RUNWAY_TOO_SHORT: payment("Top up the stream so that it covers the answer."),
  CHALLENGE_UNKNOWN: payment("Take a new challenge: any unpaid request, or GET on the same path, answers with one."),
  CHANNEL_UNKNOWN: {
    status: 410,
    type: "invalid_request_error",
    hint: "Open a channel to this provider; if it was opened just now, wait until that is confirmed.",
  },
  CHANNEL_CLOSED: { status: 410, type: "invalid_request_error", hint: "Open a new channel; what this one paid stays paid." },
  CHANNEL_CLOSING: conflict("This channel is being closed; open a new one, or top it up to keep it."),
  VOUCHER_INVALID: payment("Sign the voucher with the channel's key, for this chain and contract."),
  VOUCHER_NEEDED: payment("Send a voucher of at least the required cumulative amount."),
  VOUCHER_ABOVE_DEPOSIT: payment("Top up the channel, or sign a voucher within its deposit."),
  PAYMENT_REFUSED: payment("Choose one of the ways to pay that this answer lists, and sign it again."),
  BALANCE_TOO_LOW: payment("Fund the balance again; unspent money stays on it."),
  ASSET_MISMATCH: payment("Pay in the asset that the provider's offer names."),
  PRICE_ABOVE_CAP: refused("Raise the cap or choose another provider."),
  BUDGET_EXCEEDED: payment("Raise the spending limit, or wait until the window has passed."),
  SPENDING_PAUSED: unavailable("Money within the limit becomes free by itself; try again after the time in retry-after."),
  DEPOSIT_ABOVE_LIMIT: refused("Allow a larger deposit, or ask for less time."),
  WALLET_UNFUNDED: payment("Send native coin for the deposit and the gas to this wallet."),
  WALLET_LOCKED: unauthorized("Unlock the wallet first."),
  WALLET_MISSING: { status: 500, type: "server_error", alert: false, hint: "Create one with `claw wallet new`, or set PRIVATE_KEY." },
  IDEMPOTENCY_CONFLICT: conflict("Use a new idempotency key for another request."),
  // capacity
  BUSY: busy("Try again after the time in retry-after."),
  RATE_LIMITED: busy("Try again after the time in retry-after."),
  DRAINING: unavailable("This provider is stopping; choose another one."),
  NO_PROVIDER: unavailable("No active provider offers this model at an accepted price; try another model or later."),
  PROVIDER_UNREACHABLE: upstream("Choose another provider."),
  PROVIDER_FAILED: upstream("Choose another provider."),
  PROVIDER_TIMEOUT: { status: 504, type: "upstream_error", alert: false, hint: "Choose another provider." },
  PROVIDER_DISHONEST: upstream("The money beyond the served time was taken back; choose another provider."),
  ENDPOINT_REFUSED: refused("The endpoint is a private address; allow it explicitly for local development."),
  UPSTREAM_FAILED: upstream("The model behind this provider failed; try again or choose another one."),
  UPSTREAM_TIMEOUT: { status: 504, type: "upstream_error", alert: false, hint: "The model behind this provider was silent for too long." },
  UPSTREAM_REFUSED: invalid("The model behind this provider refused the request; its reason is in the message."),
  ANSWER_CUT: upstream("The answer broke off; only the time served was paid."),
  CLIENT_GONE: { status: 499, type: "client_closed", alert: false },
  // chain
  CHAIN_UNAVAILABLE: unavailable("The chain's RPC endpoint does not answer; check RPC_URL."),
  CHAIN_MISMATCH: { status: 500, type: "server_error", hint: "RPC_URL answers for another chain than the one configured." },
  CHAIN_STALE: unavailable("The chain endpoint lags behind; no new work is accepted until it has caught up."),
  CONTRACT_MISSING: { status: 500, type: "server_error", hint: "Deploy the contracts, or configure the right addresses for this chain." },
  TRANSACTION_REVERTED: { status: 502, type: "chain_error", alert: false },
  TRANSACTION_UNCERTAIN: {
    status: 502,
    type: "chain_error",
    hint: "The transaction may have been sent; look at the chain before you try again.",
  },
  TRANSACTION_REPLACED: { status: 502, type: "chain_error", alert: false },
  // store and indexer
  STORE_UNAVAILABLE: unavailable("The database does not answer; check DATABASE_URL and the server."),
  GATEWAY_UNREACHABLE: unavailable("Start it with `claw gateway`, or set GATEWAY_URL."),
  INDEXER_UNAVAILABLE: unavailable("Check INDEXER_URL; the chain itself can be asked instead."),
  STORE_CONFLICT: conflict("Another process writes to the same store; this one goes on from what is there."),
  STORE_FULL: { status: 503, type: "server_error", retryable: true, hint: "Give the database's disk room; work goes on by itself then." },
  // cancellation and the rest
  ABORTED: { status: 499, type: "client_closed", alert: false },
  INTERNAL: internal("Try again; if it goes on, report it with the request id."),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** A contract's own refusal (decoded revert): the caller's transaction was wrong, nothing moved. */
const revert: ErrorKind = { status: 409, type: "chain_error", alert: false };

export function errorKindOf(code: string): ErrorKind {
  if (code in errorKinds) return errorKinds[code as ErrorCode];
  if (/^(STREAM_PAY|COMPUTE_REGISTRY|PAYMENT_CHANNEL)_/.test(code)) return revert;
  return errorKinds.INTERNAL;
}
