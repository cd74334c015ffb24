// npm test [-- STEP…]: everything that must hold, in order; without arguments all of it. Ends with "N passed, N failed".
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const hardhat = join(dirname(require.resolve("hardhat/package.json")), "dist/src/cli.js");
const node = process.execPath;

interface Step {
  readonly name: string;
  readonly what: string;
  readonly commands: readonly (readonly [command: string, ...args: string[]])[];
}

const steps: readonly Step[] = [
  { name: "build", what: "compile the contracts; warnings are errors", commands: [[node, "scripts/compile.ts"]] },
  {
    name: "static",
    what: "generated files, format, lint, import rules, types, trees, documents",
    commands: [
      [node, "scripts/checks/abi-fresh.ts"],
      [bin("biome"), "ci", "--colors=off"],
      [node, "scripts/checks/contracts.ts"],
      [bin("tsc"), "-p", "."],
      [node, "scripts/checks/trees.ts"],
      [node, "scripts/checks/documents.ts"],
      [node, "scripts/checks/manifests.ts"],
      [node, "scripts/lock-portability.mjs"],
    ],
  },
  { name: "contracts", what: "contract tests and invariants", commands: [[node, hardhat, "test", "nodejs"]] },
  { name: "gas", what: "gas figures as committed", commands: [[node, "benchmarks/gas/check.ts"]] },
  {
    name: "unit",
    what: "library and agents, against real chains and servers",
    commands: [
      [node, "scripts/postgres.ts"],
      [bin("vitest"), "run"],
    ],
  },
  { name: "e2e", what: "whole stories with real processes", commands: [[bin("vitest"), "run", "--config", "vitest.e2e.config.ts"]] },
  { name: "browser", what: "the dashboard in a real browser", commands: [[node, "scripts/browser-tests.ts"]] },
];

interface Count {
  passed: number;
  failed: number;
}

/** Runs one command, shows its output, and counts what its runner reports; a command without a runner counts as one test. */
function run([command, ...args]: readonly [string, ...string[]]): Promise<Count> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      output = (output + chunk.toString()).slice(-100_000);
    });
    child.on("error", (error) => {
      console.error(error.message);
      resolve({ passed: 0, failed: 1 });
    });
    child.on("close", (code) => {
      const count = reported(output);
      if (code !== 0) count.failed = Math.max(1, count.failed);
      else if (count.passed === 0) count.passed = 1;
      resolve(count);
    });
  });
}

function reported(output: string): Count {
  const last = (pattern: RegExp) => Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const vitest = /^\s*Tests\s+.*$/m.exec(output)?.[0] ?? "";
  return {
    passed:
      last(/^ℹ pass (\d+)$/gm) ||
      last(/^\s*(\d+) passing/gm) ||
      Number(/(\d+) passed/.exec(vitest)?.[1] ?? 0) ||
      last(/^\s*(\d+) passed \(/gm),
    failed:
      last(/^ℹ fail (\d+)$/gm) ||
      last(/^\s*(\d+) failing/gm) ||
      Number(/(\d+) failed/.exec(vitest)?.[1] ?? 0) ||
      last(/^\s*(\d+) failed$/gm),
  };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(", ")}. There are: ${steps.map((step) => `${step.name} (${step.what})`).join(", ")}.`);
  process.exit(2);
}

const total: Count = { passed: 0, failed: 0 };
const summary: string[] = [];
for (const step of steps) {
  if (wanted.length > 0 && !wanted.includes(step.name)) continue;
  console.log(`\n=== ${step.name}: ${step.what}`);
  const started = performance.now();
  const count: Count = { passed: 0, failed: 0 };
  for (const command of step.commands) {
    const result = await run(command);
    count.passed += result.passed;
    count.failed += result.failed;
  }
  total.passed += count.passed;
  total.failed += count.failed;
  summary.push(
    `${count.failed ? "FAILED" : "ok    "} ${step.name.padEnd(10)} ${count.passed} passed, ${count.failed} failed, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  if (step.name === "build" && count.failed) break;
}
console.log(`\n${summary.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;
