// Compiles the contracts. Warnings about packages we only import are left out; one about our own source is an error.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const hardhat = join(dirname(createRequire(import.meta.url).resolve("hardhat/package.json")), "dist/src/cli.js");
const { stdout, stderr, status } = spawnSync(process.execPath, [hardhat, "build", "--no-tests", ...process.argv.slice(2)], {
  cwd: join(import.meta.dirname, ".."),
  encoding: "utf8",
  env: { ...process.env, NO_COLOR: "1" },
});

// A message is a headline, "--> file", and the source it points at, up to the next headline.
const messages = `${stdout}\n${stderr}`.split(/\n(?=Warning: |Error: |\w+Error: |Compiled |No contracts)/);
const own = messages.filter((message) => message.trim() && !/^Warning: [\s\S]*?--> \.?\/?(node_modules|npm)/.test(message.trim()));
const warnings = own.filter((message) => message.startsWith("Warning: "));
console.log(own.map((message) => message.trim()).join("\n\n"));
if (warnings.length > 0) console.error(`\n${warnings.length} warnings about our own contracts: each one has to be solved.`);
process.exitCode = status !== 0 ? (status ?? 1) : warnings.length > 0 ? 1 : 0;
