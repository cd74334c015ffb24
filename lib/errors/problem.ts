import { AppError, type Facts } from "./AppError.ts";
import type { ErrorCode } from "./codes.ts";

/**
 * Wire form of an error: an RFC 9457 problem that carries the OpenAI `error` object, so that problem-aware clients and
 * every OpenAI SDK read the same body.
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly hint?: string;
    readonly facts?: Facts;
  };
}

export function toProblem(error: AppError): Problem {
  const detail = error.hint ? `${error.message} ${error.hint}` : error.message;
  return {
    type: `urn:clawcompute:error:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title: error.message,
    status: error.status,
    detail,
    error: {
      message: detail,
      type: error.kind.type,
      param: error.param ?? null,
      code: error.code.toLowerCase(),
      ...(error.hint ? { hint: error.hint } : {}),
      ...(Object.keys(error.facts).length ? { facts: error.facts } : {}),
    },
  };
}

/** Rebuilds the error from a program of our own; an answer in an unknown form becomes `fallbackCode` with the status as a fact. */
export function fromProblem(body: unknown, status: number, fallbackCode = "PROVIDER_FAILED"): AppError {
  const { code, message, hint } = read(body, status);
  return new AppError(code ?? fallbackCode, message, { facts: { status }, ...(hint ? { hint } : {}) });
}

/** What a provider can know of. It cannot say that our wallet is empty, our limit reached, our chain gone or our user away. */
const strangersCodes: ReadonlySet<string> = new Set<ErrorCode>([
  "BAD_REQUEST",
  "BODY_TOO_LARGE",
  "BODY_TOO_SLOW",
  "BAD_JSON",
  "BAD_SIGNATURE",
  "NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "MODEL_NOT_FOUND",
  "CONTEXT_TOO_LONG",
  "OUTPUT_CAP_TOO_HIGH",
  "UNSUPPORTED",
  "PROOF_EXPIRED",
  "PROOF_NOT_YET_VALID",
  "PROOF_REPLAYED",
  "WRONG_CHAIN",
  "WRONG_PROVIDER",
  "TOKEN_MISSING",
  "TOKEN_UNKNOWN",
  "TOKEN_EXPIRED",
  "STREAM_UNKNOWN",
  "STREAM_ENDED",
  "STREAM_SETTLING",
  "RATE_TOO_LOW",
  "RUNWAY_TOO_SHORT",
  "ASSET_MISMATCH",
  "CHALLENGE_UNKNOWN",
  "CHANNEL_UNKNOWN",
  "CHANNEL_CLOSED",
  "CHANNEL_CLOSING",
  "VOUCHER_INVALID",
  "VOUCHER_NEEDED",
  "VOUCHER_ABOVE_DEPOSIT",
  "PAYMENT_REFUSED",
  "BALANCE_TOO_LOW",
  "IDEMPOTENCY_CONFLICT",
  "BUSY",
  "RATE_LIMITED",
  "DRAINING",
  "UPSTREAM_FAILED",
  "UPSTREAM_TIMEOUT",
  "UPSTREAM_REFUSED",
  "CHAIN_STALE",
]);

/**
 * The same from a stranger, such as a provider: only codes that are its to give, and never its own advice on what to do (it
 * might advise to send money). Anything else is `fallbackCode`, with the code it sent as a fact.
 */
export function fromStranger(body: unknown, status: number, fallbackCode = "PROVIDER_FAILED"): AppError {
  const { code, message } = read(body, status);
  const believed = code !== undefined && strangersCodes.has(code);
  return new AppError(believed ? code : fallbackCode, message, { facts: { status, ...(believed || !code ? {} : { sentCode: code }) } });
}

function read(body: unknown, status: number): { code: string | undefined; message: string; hint: string | undefined } {
  const error = field(body, "error");
  const said = text(field(error, "message")) ?? text(error) ?? text(field(body, "detail")) ?? `The answer had status ${status}.`;
  const code = text(field(error, "code"));
  const known = code !== undefined && /^[a-z][a-z0-9_]{1,63}$/.test(code);
  const hint = text(field(error, "hint"))?.slice(0, 300);
  // Clients that show nothing but the message get the hint with it; here it has a place of its own.
  const message = hint !== undefined && said.length > hint.length && said.endsWith(` ${hint}`) ? said.slice(0, -hint.length - 1) : said;
  return { code: known ? code.toUpperCase() : undefined, message: message.slice(0, 500), hint };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
