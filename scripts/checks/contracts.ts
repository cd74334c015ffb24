// Static checks of the contracts: solhint without a word, no compiler warning in our sources, runtime code below the
// limit of 24,576 bytes (sizes are printed), and the model checker's proofs of the arithmetic.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LIMIT = 24_576;
const PROOF = "test/contracts/proofs/AccrualProof.sol";
const require = createRequire(import.meta.url);
const solc = require("solc") as { compile: (input: string, callbacks: object) => string };

interface Output {
  errors?: { severity: string; message: string; formattedMessage: string; sourceLocation?: { file: string } }[];
}

const list = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => `${folder}/${file}`);

/** Analyses sources without generating code: that is where every warning but the size comes from. */
function analyse(files: readonly string[], settings: object = {}): Output {
  const read = (file: string) => {
    const place = [join(ROOT, file), join(ROOT, "node_modules", file)].find((path) => existsSync(path));
    return place === undefined ? { error: `no ${file}` } : { contents: readFileSync(place, "utf8") };
  };
  const sources = Object.fromEntries(files.map((file) => [file, { content: readFileSync(join(ROOT, file), "utf8") }]));
  const outputSelection = { "*": { "*": ["abi"] } };
  const input = { language: "Solidity", sources, settings: { evmVersion: "cancun", outputSelection, ...settings } };
  return JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as Output;
}

function lint(): string[] {
  const program = join(ROOT, "node_modules/solhint/solhint.js");
  const globs = ["contracts/*.sol", "contracts/libraries/*.sol", "contracts/interfaces/*.sol"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--disc", "--noPoster", "--max-warnings", "0", ...globs], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return status === 0 ? [] : [`solhint:\n${stdout}${stderr}`];
}

function warnings(): string[] {
  const { errors = [] } = analyse(list("contracts"));
  return errors
    .filter(({ sourceLocation }) => sourceLocation?.file.startsWith("contracts/") ?? true)
    .map(({ formattedMessage }) => formattedMessage);
}

/** Sizes of what `hardhat build` left behind. */
function sizes(): string[] {
  return ["ComputeRegistry", "StreamPay", "PaymentChannel"].flatMap((name) => {
    const file = join(ROOT, `artifacts/contracts/${name}.sol/${name}.json`);
    if (!existsSync(file)) return [`${name}: not built`];
    const { deployedBytecode } = JSON.parse(readFileSync(file, "utf8")) as { deployedBytecode: string };
    const bytes = deployedBytecode.length / 2 - 1;
    console.log(
      `${name.padEnd(16)} ${bytes.toLocaleString("en-US").padStart(7)} bytes, ${Math.round((100 * bytes) / LIMIT)} % of the limit`,
    );
    return bytes > LIMIT ? [`${name}: ${bytes} bytes are above ${LIMIT}`] : [];
  });
}

function proofs(): string[] {
  const modelChecker = {
    contracts: { [PROOF]: ["AccrualProof"] },
    engine: "chc",
    targets: ["assert"],
    showProvedSafe: true,
    showUnproved: true,
    showUnsupported: true,
  };
  const { errors = [] } = analyse([PROOF], { modelChecker });
  const proved = errors.filter(({ message }) => message.includes("Assertion violation check is safe")).length;
  const asserted = readFileSync(join(ROOT, PROOF), "utf8").match(/\bassert\(/g)?.length ?? 0;
  console.log(`${proved} of ${asserted} assertions proved for every input`);
  return proved === asserted ? [] : errors.filter(({ severity }) => severity !== "info").map(({ formattedMessage }) => formattedMessage);
}

const problems = [...lint(), ...warnings(), ...sizes(), ...proofs()];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
