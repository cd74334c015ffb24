// The committed ABIs are those of the contracts as they stand. `npm run abi` writes them.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const file = join(root, "lib/abi/generated.ts");
const before = readFileSync(file, "utf8");
execFileSync(process.execPath, [join(root, "node_modules/@wagmi/cli/dist/esm/cli.js"), "generate"], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
});
if (readFileSync(file, "utf8") !== before) {
  console.error("lib/abi/generated.ts was not what the contracts say; it has been written anew: commit it.");
  process.exitCode = 1;
} else console.log("the ABIs are fresh");
