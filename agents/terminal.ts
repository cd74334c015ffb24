/** Where a command writes. Answers and results go to `out`, everything about them to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  /** Height and width of the screen, when there is one. */
  size(): { readonly rows: number; readonly columns: number } | undefined;
}

export function processTerminal({ stdout, stderr }: Pick<NodeJS.Process, "stdout" | "stderr">): Terminal {
  return {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    outIsTty: stdout.isTTY === true,
    errIsTty: stderr.isTTY === true,
    size: () => (stderr.isTTY ? { rows: stderr.rows, columns: stderr.columns } : undefined),
  };
}

/** Text of strangers without the control characters that could drive a terminal; line breaks and tabs stay: for answers. */
export function printableText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}

/** The same on one line, so that it cannot pass for a line of ours: for everything but answers. */
export const printable = (text: string): string => printableText(text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, " "));

/** A name from the chain beside words of ours; in quotes unless it looks like a name. */
export function printableName(name: string): string {
  const safe = printable(name);
  return /^[\w.:/@+-]+$/.test(safe) ? safe : JSON.stringify(safe);
}

export interface StatusLine {
  show(text: string): void;
  clear(): void;
}

/**
 * One line at the bottom of the screen that changes while text scrolls above it: the lowest row is kept out of the scrolling
 * region. Shows nothing where there is no screen.
 */
export function createStatusLine(terminal: Terminal): StatusLine {
  let rows = 0;
  return {
    show: (text) => {
      const size = terminal.size();
      if (!size || size.rows < 4) return;
      if (size.rows !== rows) {
        rows = size.rows;
        terminal.err(`\n\u001b[1A\u001b7\u001b[1;${rows - 1}r\u001b8`);
      }
      terminal.err(`\u001b7\u001b[${rows};1H\u001b[2K${printable(text).slice(0, size.columns - 1)}\u001b8`);
    },
    clear: () => {
      if (rows > 0) terminal.err(`\u001b7\u001b[r\u001b[${rows};1H\u001b[2K\u001b8`);
      rows = 0;
    },
  };
}

/** Columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[line(head), ...rows.map(line)].join("\n")}\n`;
}
