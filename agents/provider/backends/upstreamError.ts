import { AppError, type AppErrorOptions } from "@clawcompute/lib/errors";

/** What an engine's server answered instead of a result. */
export interface UpstreamFault {
  readonly status: number;
  /** The parsed body if it was JSON, else its text. */
  readonly body: unknown;
  readonly retryAfter?: string | undefined;
  /** Never to be repeated to anybody, even if the server does. */
  readonly secret?: string | undefined;
}

const MAX_REASON = 500;
const MAX_RETRY_AFTER = 300;
const KEYS = /\b(sk|gsk|hf|key)[-_][\w-]{8,}/i;

/**
 * The request's fault keeps the server's reason, which the payer needs; any other fault keeps only its status and its code, because
 * what the server says about the operator's account is not the payer's business.
 */
export function upstreamError(fault: UpstreamFault): AppError {
  const { status } = fault;
  const { reason, code } = readFault(fault.body);
  const facts = { upstreamStatus: status, ...(code && { upstreamCode: code }) };
  if (isContextOverflow(code, reason)) return refused("CONTEXT_TOO_LONG", fault, { facts, param: "messages" });
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 413:
    case 415:
    case 422:
      return refused("UPSTREAM_REFUSED", fault, { facts });
    case 429:
      return new AppError("BUSY", "The model behind this provider is at its limit.", {
        facts,
        retryAfterSeconds: secondsOf(fault.retryAfter),
      });
    case 408:
    case 504:
      return new AppError("UPSTREAM_TIMEOUT", "The model behind this provider did not answer in time.", { facts });
    default: {
      const retry = status === 503 ? { retryable: true, retryAfterSeconds: secondsOf(fault.retryAfter) } : {};
      return new AppError("UPSTREAM_FAILED", `The model behind this provider failed (${status}${code ? `, ${code}` : ""}).`, {
        facts,
        ...retry,
      });
    }
  }
}

/** An error inside an answer that began well. Servers put an HTTP status there as `code`, a name, or nothing. */
export function midAnswerError(body: unknown, secret?: string): AppError {
  const given = Number(readFault(body).code);
  return upstreamError({ status: given >= 400 && given <= 599 ? given : 502, body, secret });
}

/** What went wrong on the way to the server. Messages of the network layer hold addresses, so only their code is kept. */
export function connectionError(cause: unknown): AppError {
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "unknown";
  return new AppError("UPSTREAM_FAILED", `The connection to the model behind this provider failed (${code}).`, {
    facts: { upstreamCode: code },
    retryable: true,
    cause,
  });
}

function refused(code: string, fault: UpstreamFault, options: AppErrorOptions): AppError {
  const reason = publicText(readFault(fault.body).reason, fault.secret);
  return new AppError(code, reason || "The model behind this provider refused the request without a reason.", options);
}

/** Finds the reason in the shapes that servers use: OpenAI, vLLM, FastAPI, TGI, Ollama, plain text. */
function readFault(body: unknown): { reason: string; code: string | undefined } {
  if (typeof body === "string") return { reason: body, code: undefined };
  if (!isObject(body)) return { reason: "", code: undefined };
  const inner = isObject(body.error) ? body.error : body;
  const told = [inner.message, body.error, body.detail, body.message].find((value) => value !== undefined && value !== null);
  const named = [inner.code, inner.type, body.error_type].find((value) => typeof value === "string" || typeof value === "number");
  return {
    reason: typeof told === "string" ? told : told === undefined ? "" : JSON.stringify(told),
    code: isCode(named) ? String(named) : undefined,
  };
}

/** A name, not a sentence: it goes to payers and into logs. */
const isCode = (named: unknown): boolean => named !== undefined && /^[a-z0-9_]{1,48}$/i.test(String(named)) && !KEYS.test(String(named));

function isContextOverflow(code: string | undefined, reason: string): boolean {
  if (code && /context_(length|size|window|too_long)/i.test(code)) return true;
  return /(maximum context length|context (size|window|length).{0,40}exceed|exceeds?.{0,40}context|prompt is too long)/i.test(
    reason.slice(0, 2000),
  );
}

/** Text of the server's that may be shown: no addresses, no keys, bounded. */
function publicText(text: string, secret: string | undefined): string {
  return (secret ? text.replaceAll(secret, "[key]") : text)
    .replaceAll(new RegExp(KEYS, "gi"), "[key]")
    .replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, "[address]")
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, MAX_REASON);
}

function secondsOf(retryAfter: string | undefined): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(MAX_RETRY_AFTER, Math.max(1, Math.ceil(seconds))) : 5;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
