import { AppError, type Facts } from "./AppError.ts";

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

/** Rebuilds the error from a response; an answer in an unknown form becomes `fallbackCode` with the status as a fact. */
export function fromProblem(body: unknown, status: number, fallbackCode = "PROVIDER_FAILED"): AppError {
  const error = field(body, "error");
  const message = text(field(error, "message")) ?? text(error) ?? text(field(body, "detail")) ?? `The answer had status ${status}.`;
  const code = text(field(error, "code"));
  const hint = text(field(error, "hint"));
  const known = code !== undefined && /^[a-z][a-z0-9_]{1,63}$/.test(code);
  return new AppError(known ? code.toUpperCase() : fallbackCode, message.slice(0, 500), {
    facts: { status },
    ...(hint ? { hint: hint.slice(0, 300) } : {}),
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
