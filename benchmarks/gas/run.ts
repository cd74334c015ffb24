// npm run bench:gas: our operations and the peers' in one run; writes results.json and results.md, prints the table.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Row } from "./chain.ts";
import { floors } from "./floors.ts";
import { ours } from "./ours/ours.ts";
import { suite } from "./ours/setting.ts";
import { flow } from "./peers/flow.ts";
import { lockup } from "./peers/lockup.ts";
import { superfluid } from "./peers/superfluid.ts";
import { quoted } from "./quoted.ts";
import { meets, table } from "./table.ts";

const here = import.meta.dirname;

/** The peers' packages, installed once for each lockfile; nothing else needs them. */
function installPeers(): void {
  const stamp = join(here, "node_modules", ".installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(here, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm === undefined ? ["npm", "ci"] : [process.execPath, npm, "ci"];
  const { status, error } = spawnSync(command as string, args, { cwd: here, stdio: "inherit" });
  if (status !== 0) throw new Error("the peers' packages could not be installed", { cause: error });
  writeFileSync(stamp, wanted);
}

installPeers();
const rows: Row[] = [];
for (const measure of [ours, flow, lockup, superfluid, floors]) {
  const started = performance.now();
  rows.push(...(await measure()));
  console.error(`${measure.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
rows.push(...quoted);

const text = table(rows, suite);
writeFileSync(join(here, "results.json"), `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
writeFileSync(join(here, "results.md"), text);
console.log(text);
const missed = rows.filter((row) => !meets(row));
for (const row of missed) console.log(`missed: ${row.operation}, ${row.gasUsed}, goal ${row.goal}`);
