// node benchmarks/gas/check.ts: measures the product's own operations again, without the peers, and fails when a figure
// is not the committed one or a goal that was met is missed. `npm run bench:gas` writes the figures anew.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Row } from "./chain.ts";
import { ours } from "./ours/ours.ts";
import { suite } from "./ours/setting.ts";

const committed = (JSON.parse(readFileSync(join(import.meta.dirname, "results.json"), "utf8")) as Row[]).filter(
  (row) => row.suite === suite,
);
const measured = await ours([10, 1_000]);
const skipped = (row: Row) => row.operation.includes("100,000 providers");

const wrong: string[] = [];
for (const row of measured) {
  const before = committed.find(({ operation }) => operation === row.operation);
  if (before === undefined) wrong.push(`${row.operation}: ${row.gasUsed}, not committed`);
  else if (before.gasUsed !== row.gasUsed)
    wrong.push(`${row.operation}: ${row.gasUsed}, committed ${before.gasUsed} (${row.gasUsed - before.gasUsed})`);
}
for (const row of committed) {
  if (!skipped(row) && !measured.some(({ operation }) => operation === row.operation))
    wrong.push(`${row.operation}: committed, not measured`);
}
if (wrong.length > 0) {
  console.error(`${wrong.join("\n")}\n${wrong.length} figures differ from benchmarks/gas/results.json. Intended? Run: npm run bench:gas`);
  process.exitCode = 1;
} else {
  console.log(`${measured.length} gas figures are as committed`);
}
