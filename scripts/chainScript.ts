import { parseArgs } from "node:util";
import { AppError } from "@clawcompute/lib/errors";
import { exitCodeOf } from "../agents/exitCodes.ts";

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

export interface ScriptRun {
  readonly flags: Flags;
  readonly positionals: readonly string[];
  /** The environment, with the chain that the command line names on top. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** With --json the object is printed and the lines are not. */
  print(lines: readonly string[], object: object): void;
  /** Progress, to stderr. */
  say(line: string): void;
}

const shared = {
  network: { type: "string" },
  "rpc-url": { type: "string" },
  "chain-id": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies Options;

const sharedHelp = `  --network NAME    local, bsc-testnet, bsc or custom (default: NETWORK, else local)
  --rpc-url URL     the chain's RPC endpoint (default: RPC_URL, else the network's own)
  --chain-id N      chain id, for the network custom
  --json            one JSON object on stdout, errors too
  --help            this text`;

/** One command-line program on a chain: reads the arguments, prints help, and turns what is thrown into text and the exit codes of claw. */
export async function runScript(help: string, options: Options, body: (run: ScriptRun) => Promise<void>): Promise<void> {
  const asJson = process.argv.includes("--json");
  try {
    const { values, positionals } = parse(options);
    if (values.help) return console.log(`${help.trim()}\n${sharedHelp}`);
    const named = (flag: string, variable: string) => (typeof values[flag] === "string" ? { [variable]: values[flag] as string } : {});
    await body({
      flags: values,
      positionals,
      env: { ...process.env, ...named("network", "NETWORK"), ...named("rpc-url", "RPC_URL"), ...named("chain-id", "CHAIN_ID") },
      print: (lines, object) =>
        console.log(asJson ? JSON.stringify(object, (_, value) => (typeof value === "bigint" ? String(value) : value)) : lines.join("\n")),
      say: (line) => console.error(line),
    });
  } catch (thrown) {
    const error = AppError.from(thrown);
    const { code, message, hint, param, facts } = error;
    if (asJson) console.log(JSON.stringify({ error: { code, message, hint, param, facts } }));
    else {
      console.error(`${code}: ${message}${hint ? `\n  ${hint}` : ""}`);
      for (const [name, value] of Object.entries(facts)) console.error(`  ${name}: ${String(value)}`);
    }
    if (code === "INTERNAL") console.error(error.cause);
    process.exitCode = exitCodeOf(error);
  }
}

function parse(options: Options): { values: Flags; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ options: { ...shared, ...options }, allowPositionals: true });
    return { values: values as Flags, positionals };
  } catch (cause) {
    throw new AppError("BAD_REQUEST", `${(cause as Error).message.split(". ")[0]}.`, { hint: "See --help.", cause });
  }
}

/** Text from the chain for a terminal: control characters could rewrite what is on the screen. */
export function printable(text: string, width = 80): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return clean.length > width ? `${clean.slice(0, width - 1)}…` : clean;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
