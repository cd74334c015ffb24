// npm run faults: breaks the provider in every way that its tests know, with real processes, chains and databases, prints what it cost and writes docs/faults.md.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coveredMsDown, formatAmount } from "@clawcompute/lib/money";

const root = join(import.meta.dirname, "..");
const vitest = join(root, "node_modules", ".bin", "vitest");
const provider = ["faults", "chainFaults", "restart", "payments/channels", "payments/faults", "payments/closeRaces"];
const stories = ["crashes", "replicas", "channels", "channelClocks", "channelCrash"];
const runs = [
  [vitest, "run", ...provider.map((name) => `agents/provider/${name}.test.ts`)],
  [vitest, "run", "--config", "vitest.e2e.config.ts", ...stories.map((name) => `test/e2e/${name}.e2e.ts`)],
] as const;
/** How many callers leave a channel at random moments. */
const PAYMENT_ABORTS = "1000";

interface Row {
  readonly broken: string;
  readonly promise: string;
  readonly lostMs: number;
  readonly boundMs: number;
  readonly lostWei: string;
  readonly boundWei: string;
}

/** A fault on a channel, where both sides can lose. */
interface JointRow {
  readonly broken: string;
  readonly promise: string;
  readonly ratePerSecond: string;
  readonly providerWei: string;
  readonly payerWei: string;
  readonly boundMs: number;
  readonly providerBoundMs?: number;
}

function run([command, ...args]: readonly [string, ...string[]], file: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, FAULTS_FILE: file, PAYMENT_ABORTS } });
    child.once("error", () => resolve(1));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function tableOf(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}

const verdict = (isWithin: boolean) => (isWithin ? "pass" : "FAIL");

const faultTable = (rows: readonly Row[]): string =>
  tableOf(
    ["what was broken", "promise", "lost", "lost", "bound", ""],
    rows.map(({ broken, promise, lostMs, boundMs, lostWei, boundWei }) => [
      broken,
      promise,
      `${Math.round(lostMs)} ms`,
      `${lostWei} wei`,
      boundMs === 0 ? "nothing" : `${boundMs} ms, ${formatAmount(BigInt(boundWei))} coin`,
      verdict(lostMs <= boundMs && BigInt(lostWei) <= BigInt(boundWei)),
    ]),
  );

function jointTable(rows: readonly JointRow[]): string {
  const loss = (wei: string, rate: string) => `${coveredMsDown(BigInt(wei), BigInt(rate))} ms, ${wei} wei`;
  return tableOf(
    ["what was broken", "promise", "the provider lost", "the payer lost", "bound", ""],
    rows.map(({ broken, promise, ratePerSecond, providerWei, payerWei, boundMs, providerBoundMs = boundMs }) => {
      const isWithin = (wei: string, ms: number) => BigInt(wei) * 1000n <= BigInt(ratePerSecond) * BigInt(ms);
      const most = boundMs === 0 ? "nothing" : `${boundMs} ms`;
      return [
        broken,
        promise,
        loss(providerWei, ratePerSecond),
        loss(payerWei, ratePerSecond),
        providerBoundMs === boundMs ? most : `${most}, the provider ${providerBoundMs} ms`,
        verdict(isWithin(providerWei, providerBoundMs) && isWithin(payerWei, boundMs)),
      ];
    }),
  );
}

const pageOf = (rows: readonly Row[], joint: readonly JointRow[]): string => `# What breaks, and what it costs

Written by \`npm run faults\`: each row is a test that breaks something with real processes, chains and databases, and measures what
the payer or the provider lost by it. Promises P1–P15 are those of [architecture.md](architecture.md). One stream pays 0.0001 coin
per second here; losses grow with the rate.

${faultTable(rows)}

## On a channel

Here both sides can lose: the provider what it served by its own meter and is not paid for (P5), the payer what it paid and was not
served by its own stopwatch (P4). Rates are 0.0001 to 0.01 coin per second; a voucher runs one second ahead.

${jointTable(joint)}
`;

const folder = mkdtempSync(join(tmpdir(), "faults-"));
const file = join(folder, "rows.jsonl");
writeFileSync(file, "");
try {
  const codes: number[] = [];
  for (const command of runs) codes.push(await run(command, file));
  const all = readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((text) => JSON.parse(text) as Row | JointRow);
  const rows = all.filter((row): row is Row => "lostMs" in row);
  const joint = all.filter((row): row is JointRow => "providerWei" in row);
  console.log(`\n${faultTable(rows)}\n\n${jointTable(joint)}\n`);
  const failed = codes.filter((code) => code !== 0).length;
  const isWhole = failed === 0 && rows.length > 0 && joint.length > 0;
  // A run that failed leaves the last good table as it is.
  if (isWhole) writeFileSync(join(root, "docs/faults.md"), pageOf(rows, joint));
  console.log(`${all.length} faults within their bounds${failed > 0 ? "; tests failed, see above" : ""}. Rate: 0.0001 coin per second.`);
  process.exitCode = isWhole ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
