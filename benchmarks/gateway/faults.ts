// npm run faults:gateway: lets each fault happen to a gateway at work, on real chains and with real processes; writes faults.md.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const vitest = join(root, "node_modules", ".bin", "vitest");
const runs = [
  ["run", "agents/gateway/serve/faults.test.ts"],
  ["run", "--config", "vitest.e2e.config.ts", "test/e2e/gatewayCrash.e2e.ts"],
];

interface Row {
  readonly fault: string;
  readonly saw: string;
  readonly paidWei: string;
  readonly lostWei: string;
  readonly boundWei: string;
  readonly promise: string;
}

const folder = mkdtempSync(join(tmpdir(), "faults-"));
const file = join(folder, "rows.jsonl");
writeFileSync(file, "");
let failed = 0;
for (const args of runs) {
  const { status } = spawnSync(vitest, args, { cwd: root, stdio: "inherit", env: { ...process.env, FAULTS_FILE: file } });
  if (status !== 0) failed += 1;
}
const rows = readFileSync(file, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((text) => JSON.parse(text) as Row);
rmSync(folder, { recursive: true, force: true });

const table = [
  "| fault | the client saw | paid, wei | lost, wei | bound, wei | promise |",
  "|---|---|---|---|---|---|",
  ...rows.map(
    ({ fault, saw, paidWei, lostWei, boundWei, promise }) => `| ${fault} | ${saw} | ${paidWei} | ${lostWei} | ${boundWei} | ${promise} |`,
  ),
].join("\n");
console.log(`\n${table}\n`);
console.log(`${rows.length} faults within their bounds${failed > 0 ? "; tests failed, see above" : ""}`);
const note =
  "Written by `npm run faults:gateway`. Paid is what the chain paid to the provider at fault; lost is the part of it for which no answer\nwas delivered. The scripted providers cost 1000000000000 wei a second, the processes 100000000000000; on the chain of the scripted ones\neach transaction moves the time by two seconds. Why each bound holds: `test/e2e/gatewayCrash.e2e.ts`, `agents/gateway/serve/faults.test.ts`.";
if (failed === 0) writeFileSync(join(import.meta.dirname, "faults.md"), `# Faults\n\n${note}\n\n${table}\n`);
process.exitCode = failed > 0 || rows.length === 0 ? 1 : 0;
