// Puts one fault after the other into a copy of the contracts and runs their tests against it. A fault that no test
// notices is a hole in the tests, or is explained in mutate.explained.json. Nothing in the checkout is changed.
//
//   node scripts/checks/mutate.ts [--contract StreamPay] [--sample 40] [--only <text>] [--workers 2] [--list] [--report <file>]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { callersOf, type Mutant, mutantsOf } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(import.meta.url);

const HARDHAT = join(ROOT, "node_modules/hardhat", (require("hardhat/package.json") as { bin: { hardhat: string } }).bin.hardhat);
const ENVIRONMENT = { ...process.env, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true", NO_COLOR: "1" };

interface Target {
  readonly contract: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

const TARGETS: readonly Target[] = [
  {
    contract: "StreamPay",
    files: [
      "contracts/StreamPay.sol",
      "contracts/libraries/Accrual.sol",
      "contracts/libraries/Push.sol",
      "contracts/libraries/StreamSlots.sol",
    ],
    tests: ["StreamPay", "attacks", "invariants/streamPay.test.ts"],
  },
  {
    contract: "ComputeRegistry",
    files: ["contracts/ComputeRegistry.sol"],
    tests: ["ComputeRegistry", "attacks/registry.test.ts", "invariants/registry.test.ts"],
  },
  { contract: "PaymentChannel", files: ["contracts/PaymentChannel.sol"], tests: ["PaymentChannel", "invariants/channel.test.ts"] },
];

const { values: options } = parseArgs({
  options: {
    contract: { type: "string" },
    sample: { type: "string" },
    only: { type: "string" },
    workers: { type: "string", default: "1" },
    list: { type: "boolean", default: false },
    report: { type: "string" },
  },
});

interface Compiled {
  readonly bytecode: string;
  readonly deployed: string;
}

interface SolcOutput {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, { evm: { bytecode: { object: string }; deployedBytecode: { object: string } } }>>;
}

/** Compiles one contract with one of its files replaced; undefined when it does not compile. Optimised little, for speed. */
function compile(contract: string, replaced?: { file: string; source: string }): Compiled | undefined {
  const solc = require("solc") as { compile: (input: string, callbacks: object) => string };
  const path = `contracts/${contract}.sol`;
  const read = (file: string) => {
    if (file === replaced?.file) return { contents: replaced.source };
    const place = file.startsWith("contracts/") ? join(ROOT, file) : join(ROOT, "node_modules", file);
    return existsSync(place) ? { contents: readFileSync(place, "utf8") } : { error: `no ${file}` };
  };
  const settings = {
    evmVersion: "cancun",
    viaIR: true,
    optimizer: { enabled: true, runs: 1, details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: "u" } } },
    metadata: { appendCBOR: false },
    outputSelection: { [path]: { [contract]: ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
  };
  const input = { language: "Solidity", sources: { [path]: { content: read(path).contents } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as SolcOutput;
  const evm = output.contracts?.[path]?.[contract]?.evm;
  if (evm === undefined || evm.bytecode.object === "") return undefined;
  return { bytecode: `0x${evm.bytecode.object}`, deployed: `0x${evm.deployedBytecode.object}` };
}

/** A copy of what the tests need, whose artifacts can be replaced. */
function workspace(): string {
  const place = mkdtempSync(join(tmpdir(), "mutate-"));
  for (const name of ["contracts", "test/contracts", "artifacts", "cache"]) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(place, name), { recursive: true });
  }
  for (const name of ["hardhat.config.ts", "package.json", "tsconfig.json"]) cpSync(join(ROOT, name), join(place, name));
  mkdirSync(join(place, "lib"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(place, "node_modules"));
  return place;
}

/** Builds the copy, so that the tests find every contract they deploy. */
function build(place: string): void {
  const built = spawnSync(process.execPath, [HARDHAT, "build"], { cwd: place, encoding: "utf8", env: ENVIRONMENT });
  if (built.status !== 0) throw new Error(`the contracts do not build\n${built.stdout}${built.stderr}`);
}

function install(place: string, contract: string, compiled: Compiled): void {
  const file = join(place, `artifacts/contracts/${contract}.sol/${contract}.json`);
  const artifact = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...artifact, bytecode: compiled.bytecode, deployedBytecode: compiled.deployed }));
}

/** The test files that a mutant of this function meets: its callers' own in two assets first, then everything. */
function stages(target: Target, mutant: Mutant, callers: Map<string, Set<string>>): { files: string[]; assets?: string }[] {
  const tests = "test/contracts";
  const all = target.tests.flatMap((name) => {
    if (name.endsWith(".ts")) return existsSync(join(ROOT, tests, name)) ? [`${tests}/${name}`] : [];
    return readdirSync(join(ROOT, tests, name))
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => `${tests}/${name}/${file}`);
  });
  const near = [...(callers.get(mutant.fn) ?? []), mutant.fn].map((fn) => `${tests}/${target.contract}/${fn}.test.ts`);
  const first = all.filter((file) => near.includes(file));
  return first.length === 0 ? [{ files: all }] : [{ files: first, assets: "native coin,18 decimals" }, { files: all }];
}

/** Runs tests until the first failure. Only what was started here is ended here. */
function passes(place: string, { files, assets }: { files: readonly string[]; assets?: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [HARDHAT, "test", "nodejs", "--no-compile", ...files], {
      cwd: place,
      env: { ...ENVIRONMENT, ...(assets === undefined ? {} : { CONTRACT_TEST_ASSETS: assets }) },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let [seen, failed] = ["", false];
    const stop = () => {
      failed = true;
      child.kill("SIGKILL");
    };
    const limit = setTimeout(stop, 180_000);
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (/^\s+\d+\) /m.test(seen)) stop();
      seen = seen.slice(seen.lastIndexOf("\n") + 1);
    });
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve(!failed && code === 0);
    });
  });
}

interface Explained {
  readonly file: string;
  readonly change: string;
  readonly why: string;
}

const explanations = (): Explained[] => {
  const file = join(ROOT, "scripts/checks/mutate.explained.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Explained[]) : [];
};

async function run(target: Target): Promise<{ killed: number; survived: Mutant[] }> {
  const sources = new Map(target.files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
  let mutants = [...sources].flatMap(([file, source]) => mutantsOf(file, source));
  if (options.only !== undefined) mutants = mutants.filter(({ change, fn }) => fn === options.only || change.includes(options.only ?? ""));
  if (options.sample !== undefined) {
    const rank = ({ file, line, change }: Mutant) => createHash("sha256").update(`${file}${line}${change}`).digest("hex");
    mutants = mutants.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, Number(options.sample));
  }
  if (options.list) {
    for (const { file, line, fn, change } of mutants) console.log(`${file}:${line} ${fn}: ${change}`);
    return { killed: 0, survived: [] };
  }
  const callers = new Map([...sources.values()].flatMap((source) => [...callersOf(source)]));
  const original = compile(target.contract);
  if (original === undefined) throw new Error(`${target.contract} does not compile`);
  const seen = new Set([original.bytecode]);
  const survived: Mutant[] = [];
  let [killed, invalid, same, next] = [0, 0, 0, 0];

  const worker = async () => {
    const place = workspace();
    try {
      build(place);
      install(place, target.contract, original);
      const [everything] = stages(target, { file: "", line: 0, fn: "", change: "", source: "" }, new Map());
      if (!(await passes(place, everything ?? { files: [] }))) throw new Error("the tests do not pass without a fault");
      for (let mutant = mutants[next++]; mutant !== undefined; mutant = mutants[next++]) {
        const compiled = compile(target.contract, mutant);
        if (compiled === undefined) {
          invalid++;
          continue;
        }
        if (seen.has(compiled.bytecode)) {
          same++;
          continue;
        }
        seen.add(compiled.bytecode);
        install(place, target.contract, compiled);
        let alive = true;
        for (const stage of stages(target, mutant, callers)) alive &&= await passes(place, stage);
        if (alive) {
          survived.push(mutant);
          console.log(`survived ${mutant.file}:${mutant.line} ${mutant.fn}: ${mutant.change}`);
        } else killed++;
        if ((killed + survived.length) % 25 === 0)
          console.error(`${target.contract}: ${next}/${mutants.length}, killed ${killed}, survived ${survived.length}`);
      }
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Number(options.workers) }, worker));
  console.log(
    `${target.contract}: ${mutants.length} faults, ${invalid} do not compile, ${same} change nothing, ${killed} noticed, ${survived.length} not`,
  );
  return { killed, survived };
}

let [killed, open, explained] = [0, 0, 0];
const report: string[] = [];
for (const target of TARGETS) {
  if (options.contract !== undefined && options.contract !== target.contract) continue;
  if (!existsSync(join(ROOT, target.files[0] ?? ""))) continue;
  const result = await run(target);
  killed += result.killed;
  for (const { file, line, fn, change } of result.survived) {
    const why = explanations().find((known) => known.file === file && known.change === change)?.why;
    if (why === undefined) open++;
    else explained++;
    report.push(`${file}:${line} ${fn}: ${change}\n    ${why ?? "NOT EXPLAINED"}`);
  }
}
if (!options.list) {
  const score = (100 * killed) / Math.max(1, killed + open + explained);
  const summary = `score ${score.toFixed(1)} %: ${killed} noticed, ${explained} survived with a reason, ${open} without`;
  console.log([...report, summary].join("\n"));
  if (options.report !== undefined) writeFileSync(options.report, `${[...report, summary].join("\n")}\n`);
  process.exitCode = open === 0 ? 0 : 1;
}
