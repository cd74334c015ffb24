// npm run bench:web: what the dashboard's pages weigh, and Lighthouse's judgement of them, from the production build on a local network.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createReport } from "../../scripts/dev/report.ts";
import { removeFolder, startNetwork } from "../../scripts/dev/startNetwork.ts";
import { type FormFactor, judge } from "./lighthouse.ts";

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
}

const here = import.meta.dirname;
const root = join(here, "../..");
const pages = [
  ["market", "/"],
  ["chat", "/chat"],
  ["my streams", "/streams"],
  ["provider", "/providers/1"],
  ["provide", "/provide"],
  ["keep", "/keep"],
  ["network", "/network"],
  ["activity", "/activity"],
] as const;
const goals = { performance: ">= 90", accessibility: ">= 100", "best-practices": ">= 95" } as const;

installLighthouse();
const folder = mkdtempSync(join(tmpdir(), "bench-web-"));
const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());
const report = createReport((text) => process.stderr.write(text));
const network = await startNetwork({
  root,
  folder,
  freePorts: true,
  keepState: false,
  fresh: false,
  dashboard: true,
  report,
  signal: abort.signal,
});
const rows: Row[] = [];
try {
  const base = network.record.urls?.dashboard;
  if (!base) throw new Error("the network has no dashboard");
  for (const [name, path] of pages) {
    const bytes = await scriptBytes(base, path);
    rows.push({
      name: `${name}: script of the first load`,
      value: round(bytes / 1000),
      unit: "kB gzip",
      ...(path === "/" ? { goal: "<= 250" } : {}),
    });
  }
  for (const [name, path] of pages.slice(0, 2)) {
    for (const form of ["mobile", "desktop"] as const satisfies readonly FormFactor[]) {
      const { scores, milliseconds } = judge(`${base}${path}`, form, folder);
      for (const [category, goal] of Object.entries(goals)) {
        rows.push({ name: `${name}, ${form}: ${category}`, value: scores[category] ?? 0, unit: "of 100", goal });
      }
      for (const [metric, ms] of Object.entries(milliseconds))
        rows.push({ name: `${name}, ${form}: ${metric}`, value: round(ms), unit: "ms" });
    }
  }
} finally {
  await network.stop();
  removeFolder(folder);
}

const table = rows.map(({ name, value, unit, goal = "" }) => `| ${name} | ${value} | ${unit} | ${goal} |`).join("\n");
const text = `# The dashboard's pages\n\nWritten by \`npm run bench:web\`. What is measured and how: [README.md](README.md).\n\n| what | value | unit | goal |\n|---|---|---|---|\n${table}\n`;
writeFileSync(join(here, "results.json"), `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
writeFileSync(join(here, "results.md"), text);
console.log(text);

/** Every script that the page's HTML names and a browser of today runs. */
async function scriptBytes(base: string, path: string): Promise<number> {
  const html = await (await fetch(base + path)).text();
  const tags = [...html.matchAll(/<script\b[^>]*\bsrc="([^"]+)"[^>]*>/g)].filter(([tag]) => !/\bnoModule\b/i.test(tag));
  const scripts = [...new Set(tags.map(([, source]) => source as string))];
  if (scripts.length === 0) throw new Error(`${path} names no script`);
  const sizes = await Promise.all(
    scripts.map(async (source) => gzipSync(Buffer.from(await (await fetch(new URL(source, base))).arrayBuffer())).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Once for each lockfile, in this folder: nothing else needs it. */
function installLighthouse(): void {
  const stamp = join(here, "node_modules", ".installed");
  const lock = createHash("sha256")
    .update(readFileSync(join(here, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
    cwd: here,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("Lighthouse could not be installed");
  writeFileSync(stamp, lock);
}
