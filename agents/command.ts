import type { AppError } from "@clawcompute/lib/errors";
import { printable, type Terminal } from "./terminal.ts";

/** What every command of `claw` gets from its surroundings. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  /** Aborts on the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly json: boolean;
}

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly param: string | null;
  readonly facts: AppError["facts"];
}

/** An error as part of a JSON result. */
export function errorReport({ code, message, hint, param, facts }: AppError): ErrorReport {
  return { code, message, hint: hint ?? null, param: param ?? null, facts };
}

/** An error for a person. */
export const errorLine = ({ code, message, hint }: AppError): string =>
  `error ${code}: ${printable(message)}${hint ? `\n  hint: ${printable(hint)}` : ""}\n`;
