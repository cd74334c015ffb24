import { createInterface } from "node:readline";

/** Where a conversation's questions come from. */
export interface ChatInput {
  readonly isTty: boolean;
  /** The next line; undefined at the end, also when `signal` aborts. */
  line(prompt: string, signal: AbortSignal): Promise<string | undefined>;
  /** Ctrl-C. */
  onInterrupt(listener: () => void): void;
  close(): void;
}

/** The process's own input; at a terminal with line editing and history. */
export function processInput({ stdin, stderr }: Pick<NodeJS.Process, "stdin" | "stderr">): ChatInput {
  const isTty = stdin.isTTY === true && stderr.isTTY === true;
  // The prompt goes to stderr: stdout holds answers only.
  const reader = createInterface({ input: stdin, output: stderr, terminal: isTty, historySize: 1_000 });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let ended = false;
  let wake = () => {};
  reader.on("line", (line) => {
    lines.push(line);
    wake();
  });
  reader.on("close", () => {
    ended = true;
    wake();
  });
  const interrupt = () => {
    for (const listener of listeners) listener();
  };
  reader.on("SIGINT", interrupt);
  process.on("SIGINT", interrupt);
  return {
    isTty,
    line: async (prompt, signal) => {
      if (isTty && lines.length === 0) {
        reader.setPrompt(prompt);
        reader.prompt();
      }
      while (lines.length === 0 && !ended && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      return signal.aborted ? undefined : lines.shift();
    },
    onInterrupt: (listener) => void listeners.add(listener),
    close: () => {
      process.off("SIGINT", interrupt);
      reader.close();
    },
  };
}
