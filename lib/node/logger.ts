import { type Logger as PinoLogger, pino } from "pino";

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly name: string;
  /** trace, debug, info, warn, error or silent. */
  readonly level?: string;
  readonly destination?: { write(line: string): void };
}

// Whatever path a secret takes into a log record, it leaves as "[hidden]".
const secret = [
  "privateKey",
  "key",
  "token",
  "authorization",
  "password",
  "signature",
  "apiKey",
  "mnemonic",
  "prompt",
  "messages",
  "input",
];

/** JSON lines to stderr. `error` means our side is at fault, never a bad request. */
export function createLogger({ name, level = "info", destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name },
    redact: { paths: secret.flatMap((key) => [key, `*.${key}`, `headers.${key}`]), censor: "[hidden]" },
    serializers: { err: serializeError },
  };
  return destination ? pino(options, destination) : pino(options, pino.destination({ fd: 2, sync: true }));
}

/** Names and messages only: request bodies and URLs with credentials never get into a log by way of an error. */
function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: stripUrls(String(error)) };
  return {
    type: error.name,
    message: stripUrls(error.message),
    ...("code" in error ? { code: (error as { code: unknown }).code } : {}),
    stack: stripUrls(error.stack ?? ""),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/** Keeps scheme and host of a URL, drops user info, path and query (API keys live there). */
export function stripUrls(text: string): string {
  return text.replace(/\b(https?|wss?|postgres(?:ql)?):\/\/(?:[^\s/@]*@)?([^\s/?#"']+)[^\s"')]*/g, "$1://$2/…");
}
