// npm run faults:indexer [-- words]: lets each fault happen to an indexer at work and compares its store with a fresh index.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { faults, startFaultWorld } from "../../agents/indexer/testing/faults.ts";

const wanted = process.argv.slice(2).join(" ");
const world = await startFaultWorld(["PGlite", "PostgreSQL"]);
await world.story.blocks(10);
const rows: string[] = [];
let failed = 0;
for (const fault of faults) {
  if (!fault.name.includes(wanted)) continue;
  if (fault.store === "PostgreSQL" && !world.postgres) {
    rows.push(`| ${fault.name} | ${fault.store} | skipped: PostgreSQL is not installed here | | | | |`);
    continue;
  }
  const started = performance.now();
  try {
    const { what, difference } = await fault.run(world);
    const { rows: events, lost, doubled, wrong } = difference;
    if (lost + doubled + wrong > 0) failed += 1;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    rows.push(`| ${fault.name} | ${fault.store} | ${what} | ${events} | ${lost} | ${doubled} | ${wrong} | ${seconds} s |`);
  } catch (thrown) {
    failed += 1;
    rows.push(`| ${fault.name} | ${fault.store} | FAILED: ${(thrown as Error).message} | | | | |`);
  }
  console.error(rows.at(-1));
}
await world.stop();
const table = [
  "| fault | store | what happened | events | lost | doubled | other rows wrong | took |",
  "|---|---|---|---|---|---|---|---|",
  ...rows,
].join("\n");
console.log(table);
const note = `Written by \`npm run faults:indexer\`. After each fault the store is compared, row by row, with an index made anew from the chain.`;
if (!wanted && failed === 0) writeFileSync(join(import.meta.dirname, "faults.md"), `# Faults\n\n${note}\n\n${table}\n`);
process.exitCode = failed ? 1 : 0;
