import type { CommandContext } from "../../command.ts";
import type { ChatInput } from "../chatInput.ts";

export interface Captured {
  readonly context: CommandContext;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves when either stream has said it. */
  says(text: string): Promise<void>;
}

/** A command's surroundings that remember what was written. */
export function captured(env: Record<string, string>, options: { json?: boolean; signal?: AbortSignal } = {}): Captured {
  let [out, err] = ["", ""];
  const waiting: { text: string; resolve: () => void }[] = [];
  const look = () => {
    for (const { text, resolve } of waiting) if ((out + err).includes(text)) resolve();
  };
  const terminal: CommandContext["terminal"] = {
    out: (text) => {
      out += text;
      look();
    },
    err: (text) => {
      err += text;
      look();
    },
    outIsTty: false,
    errIsTty: false,
    size: () => undefined,
  };
  return {
    context: { env, terminal, signal: options.signal ?? new AbortController().signal, json: options.json ?? false },
    out: () => out,
    err: () => err,
    says: (text) =>
      new Promise((resolve) => {
        waiting.push({ text, resolve });
        look();
      }),
  };
}

export interface TypedInput extends ChatInput {
  type(...lines: readonly string[]): void;
  end(): void;
  interrupt(): void;
}

/** A person at the keyboard. */
export function typedInput(): TypedInput {
  const lines: string[] = [];
  const listeners: (() => void)[] = [];
  let ended = false;
  let wake = () => {};
  return {
    isTty: false,
    line: async (_, signal) => {
      while (lines.length === 0 && !ended && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      return signal.aborted ? undefined : lines.shift();
    },
    onInterrupt: (listener) => void listeners.push(listener),
    close: () => {},
    type: (...typed) => {
      lines.push(...typed);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    interrupt: () => {
      for (const listener of listeners) listener();
    },
  };
}
