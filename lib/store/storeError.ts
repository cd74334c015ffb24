import { AppError } from "../errors/index.ts";

/**
 * What a database call threw as an AppError: STORE_UNAVAILABLE while the server is away or starting, STORE_FULL when it has no room,
 * INTERNAL for the rest. The failed statement and its values are not part of it.
 */
export function storeError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const cause = rootOf(thrown);
  const code = String((cause as { code?: unknown }).code ?? "");
  const reason = String((cause as Error).message ?? cause).slice(0, 200);
  const options = { facts: { reason, sqlState: code }, cause };
  if (/^(53100|58030)$/.test(code) || /no space left|file too large|could not (extend|write)/i.test(reason)) {
    return new AppError("STORE_FULL", "The database has no room to write.", options);
  }
  if (
    /^(08|57P|53300|25006|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)/.test(code) ||
    /connection|terminated|timeout|closed/i.test(reason)
  ) {
    return new AppError("STORE_UNAVAILABLE", "The database does not answer.", options);
  }
  return new AppError("INTERNAL", "The database refused a statement.", options);
}

/** The driver's own error, under whatever the query builder wrapped around it. */
function rootOf(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  return error;
}
