// Compiles the contracts. Warnings about packages we only import are left out; one about our own source is an error.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const hardhat = join(dirname(createRequire(import.meta.url).resolve("hardhat/package.json")), "dist/src/cli.js");
const child = spawn(process.execPath, [hardhat, "build", "--no-tests", ...process.argv.slice(2)], {
  cwd: join(import.meta.dirname, ".."),
  env: { ...process.env, NO_COLOR: "1" },
  stdio: ["ignore", "pipe", "pipe"],
});
const started = performance.now();
const beat = setInterval(() => console.log(`compiling the contracts: ${((performance.now() - started) / 1000).toFixed(0)} s`), 5_000);
let output = "";
for (const stream of [child.stdout, child.stderr]) {
  stream.on("data", (chunk: Buffer) => {
    output += chunk;
  });
}
const [code] = await once(child, "close");
clearInterval(beat);

// A message is a headline, "--> file", and the source it points at, up to the next headline.
const messages = output.split(/\n(?=Warning: |Error: |\w+Error: |Compiled |No contracts)/).map((message) => message.trim());
const own = messages.filter((message) => message && !/^Warning: [\s\S]*?--> \.?\/?(node_modules|npm)/.test(message));
const warnings = own.filter((message) => message.startsWith("Warning: "));
if (own.length > 0) console.log(own.join("\n\n"));
if (warnings.length > 0) console.error(`\n${warnings.length} warnings about our own contracts: each one has to be solved.`);
process.exitCode = code !== 0 ? (code ?? 1) : warnings.length > 0 ? 1 : 0;
