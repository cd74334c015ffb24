import { type ErrorKind, errorKindOf } from "./codes.ts";

/** Values that explain an error: safe to show and to log (never secrets, prompts or whole URLs). */
export type Facts = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface AppErrorOptions {
  readonly facts?: Facts;
  /** What the caller should do next, as one sentence. */
  readonly hint?: string;
  /** The input field that is at fault. */
  readonly param?: string;
  /** Overrides the code's own answer to "may the same call be made again?". */
  readonly retryable?: boolean;
  /** Seconds after which a retry makes sense. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * The one error type that crosses a boundary. `code` is stable and UPPER_SNAKE; everything that depends on it
 * (HTTP status, retryable, alert) comes from `codes.ts`, so a call site cannot choose wrongly.
 */
export class AppError extends Error {
  readonly code: string;
  readonly facts: Facts;
  readonly hint: string | undefined;
  readonly param: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly kind: ErrorKind;

  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.kind = errorKindOf(code);
    this.facts = options.facts ?? {};
    this.hint = options.hint ?? this.kind.hint;
    this.param = options.param;
    this.retryable = options.retryable ?? this.kind.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return this.kind.status;
  }

  /** True when a person who runs this system should look: the fault is ours. */
  get alert(): boolean {
    return this.kind.alert ?? this.kind.status >= 500;
  }

  /** Any thrown value as an AppError; what is unknown becomes INTERNAL and keeps its cause. */
  static from(thrown: unknown): AppError {
    if (thrown instanceof AppError) return thrown;
    return new AppError("INTERNAL", "Something went wrong on this side.", { cause: thrown });
  }
}
