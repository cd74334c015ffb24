// npm run faults: breaks the provider in every way that its tests know, with real processes, chains and databases, prints what it cost and writes docs/faults.md.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatAmount } from "@clawcompute/lib/money";

const root = join(import.meta.dirname, "..");
const vitest = join(root, "node_modules", ".bin", "vitest");
const provider = ["faults", "chainFaults", "restart"].map((name) => `agents/provider/${name}.test.ts`);
const runs = [
  [vitest, "run", ...provider],
  [vitest, "run", "--config", "vitest.e2e.config.ts", "test/e2e/crashes.e2e.ts", "test/e2e/replicas.e2e.ts"],
] as const;

interface Row {
  readonly broken: string;
  readonly promise: string;
  readonly lostMs: number;
  readonly boundMs: number;
  readonly lostWei: string;
  readonly boundWei: string;
}

function run([command, ...args]: readonly [string, ...string[]], file: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, FAULTS_FILE: file } });
    child.once("error", () => resolve(1));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ broken, promise, lostMs, boundMs, lostWei, boundWei }) => [
    broken,
    promise,
    `${Math.round(lostMs)} ms`,
    `${lostWei} wei`,
    boundMs === 0 ? "nothing" : `${boundMs} ms, ${formatAmount(BigInt(boundWei))} coin`,
    lostMs <= boundMs && BigInt(lostWei) <= BigInt(boundWei) ? "pass" : "FAIL",
  ]);
  const head = ["what was broken", "promise", "lost", "lost", "bound", ""];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}

const pageOf = (rows: readonly Row[]): string => `# What breaks, and what it costs

Written by \`npm run faults\`: each row is a test that breaks something with real processes, chains and databases, and measures what
the payer or the provider lost by it. Promises P1–P15 are those of [architecture.md](architecture.md). One stream pays 0.0001 coin
per second here; losses grow with the rate.

${table(rows)}
`;

const folder = mkdtempSync(join(tmpdir(), "faults-"));
const file = join(folder, "rows.jsonl");
writeFileSync(file, "");
try {
  const codes: number[] = [];
  for (const command of runs) codes.push(await run(command, file));
  const rows = readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((text) => JSON.parse(text) as Row);
  console.log(`\n${table(rows)}\n`);
  const failed = codes.filter((code) => code !== 0).length;
  // A run that failed leaves the last good table as it is.
  if (failed === 0 && rows.length > 0) writeFileSync(join(root, "docs/faults.md"), pageOf(rows));
  console.log(`${rows.length} faults within their bounds${failed > 0 ? "; tests failed, see above" : ""}. Rate: 0.0001 coin per second.`);
  process.exitCode = failed > 0 || rows.length === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
