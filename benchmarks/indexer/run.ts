// npm run bench:indexer [-- --events 1000000 --seconds 1.2]: how fast events are written and pages read, at three sizes, on both databases.
// A list is read for so many seconds by paced readers and half as long by eager ones.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findPostgres, type LocalPostgres, startPostgres } from "@clawcompute/lib/testing";
import { startIndexerProcess } from "../../agents/indexer/testing/follower.ts";
import { growing, lists } from "./lists.ts";
import { type Latency, measure } from "./load.ts";
import { plot } from "./plot.ts";
import { eventsOf } from "./syntheticEvents.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" }, seconds: { type: "string", default: "1.2" } } });
const READERS = 50;
/** Four questions a second each, as of a page that shows several lists and follows them. */
const PACE_MS = 250;
const total = Number(values.events);
const sizes = [0.1, 0.3, 1].map((part) => Math.round(total * part));

interface AtSize {
  readonly events: number;
  readonly perSecond: number;
  readonly writeShare: number;
  /** Of the indexer's process alone. */
  readonly cpuMicros: number;
  readonly rssMb: number;
  readonly serverMb: number;
  /** All lists at the largest size, at the others those that grow. */
  readonly lists: Readonly<Record<string, { readonly paced: Latency; readonly eager: Latency | undefined }>>;
}

async function startSyntheticChain(): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "syntheticChain.ts")], { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve) => child.stdout?.once("data", (line: Buffer) => resolve(line.toString().trim())));
  return { url, child };
}

/** The block with which this many events are reached, and how many they are then. */
function blocksFor(wanted: readonly number[]): { block: number; events: number; streams: number }[] {
  const found: { block: number; events: number; streams: number }[] = [];
  let [block, events] = [0, 0];
  for (const size of wanted) {
    while (events < size) events += eventsOf(++block).length;
    found.push({ block, events, streams: Math.max(1, (block - 200) * 20) });
  }
  return found;
}

const rssMb = (pid: number) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
/** Seconds of processor time so far. */
const cpuSeconds = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const metric = async (url: string, name: string) =>
  Number(new RegExp(`^${name} (.+)$`, "m").exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);

async function bench(name: string, env: Record<string, string>, server: LocalPostgres | undefined): Promise<AtSize[]> {
  const chain = await startSyntheticChain();
  const indexer = await startIndexerProcess({ ...env, RPC_URL: chain.url, LOG_LEVEL: "info" });
  const results: AtSize[] = [];
  let before = 0;
  for (const { block, events, streams } of blocksFor(sizes)) {
    const wroteBefore = await metric(indexer.url, "clawcompute_indexer_write_seconds_sum");
    const [started, cpuBefore] = [performance.now(), cpuSeconds(indexer.pid)];
    await fetch(`${chain.url}/head`, { method: "POST", body: JSON.stringify({ head: block }) });
    for (;;) {
      const { block: at } = (await (await fetch(`${indexer.url}/health`)).json()) as { block: number };
      if (at >= block) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const seconds = (performance.now() - started) / 1000;
    const cpuMicros = ((cpuSeconds(indexer.pid) - cpuBefore) * 1e6) / (events - before);
    const wrote = (await metric(indexer.url, "clawcompute_indexer_write_seconds_sum")) - wroteBefore;
    const perSecond = (events - before) / seconds;
    console.error(
      `${name}: ${events} events, ${perSecond.toFixed(0)}/s, writing ${((wrote / seconds) * 100).toFixed(0)} % of the time, ${rssMb(indexer.pid).toFixed(0)} MB`,
    );
    // What the indexer does when it has caught up is not part of either figure.
    for (let quiet = 0; quiet < 20; quiet += 1) {
      if ((await metric(indexer.url, "clawcompute_indexer_tidying")) > 0) quiet = 0;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const latencies: Record<string, { paced: Latency; eager: Latency | undefined }> = {};
    const isLargest = events >= total;
    for (const [list, path] of Object.entries(lists)) {
      if (!isLargest && !growing.includes(list)) continue;
      const urlOf = (turn: number) => `${indexer.url}${path(turn, streams)}`;
      const ms = Number(values.seconds) * 1000;
      const paced = await measure(urlOf, { readers: READERS, ms, everyMs: PACE_MS });
      const eager = isLargest ? await measure((turn) => urlOf(turn + 1_000_000), { readers: READERS, ms: ms / 2, everyMs: 0 }) : undefined;
      latencies[list] = { paced, eager };
      const told = [`paced p50 ${paced.p50Ms.toFixed(1)}, p99 ${paced.p99Ms.toFixed(1)} ms`];
      if (eager) told.push(`eager p50 ${eager.p50Ms.toFixed(1)}, p99 ${eager.p99Ms.toFixed(1)} ms, ${eager.perSecond.toFixed(0)}/s`);
      console.error(`  ${list.padEnd(26)} ${told.join("; ")}`);
    }
    results.push({
      events,
      perSecond,
      writeShare: wrote / seconds,
      cpuMicros,
      rssMb: rssMb(indexer.pid),
      serverMb: (server?.memoryKib() ?? 0) / 1024,
      lists: latencies,
    });
    before = events;
  }
  await indexer.kill();
  chain.child.kill("SIGKILL");
  return results;
}

const all: Record<string, AtSize[]> = {};
const folder = mkdtempSync(join(tmpdir(), "bench-indexer-"));
try {
  all.PGlite = await bench("PGlite", { INDEXER_DATA_DIR: folder }, undefined);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (findPostgres()) {
  const server = await startPostgres({ durable: true });
  try {
    all[`PostgreSQL ${server.version.split(".")[0]}`] = await bench("PostgreSQL", { DATABASE_URL: await server.createDatabase() }, server);
  } finally {
    await server.stop();
  }
} else console.error("PostgreSQL is not installed here; only PGlite was measured");

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
}
const rows: Row[] = [];
const round = (value: number, digits = 1) => Number(value.toFixed(digits));
for (const [engine, results] of Object.entries(all)) {
  for (const result of results) {
    rows.push({ name: `${engine}: events written, up to ${result.events} events`, value: Math.round(result.perSecond), unit: "events/s" });
    rows.push({ name: `${engine}: memory of the indexer, ${result.events} events`, value: Math.round(result.rssMb), unit: "MB" });
    if (result.serverMb > 0)
      rows.push({ name: `${engine}: memory of the server, ${result.events} events`, value: Math.round(result.serverMb), unit: "MB" });
  }
  const largest = results.at(-1) as AtSize;
  rows.push({ name: `${engine}: processor time of the indexer for an event`, value: round(largest.cpuMicros), unit: "µs" });
  for (const [list, { paced, eager }] of Object.entries(largest.lists)) {
    const row = (how: string, value: number, unit: string, goal?: string) =>
      rows.push({ name: `${engine}: ${list}, ${READERS} readers ${how}`, value, unit, ...(goal === undefined ? {} : { goal }) });
    row("with 4 requests a second each, p99", round(paced.p99Ms), "ms", "<= 50");
    if (!eager) continue;
    // The embedded database answers one question at a time: how long fifty wait at once is its rate, told below.
    row("without a pause, p99", round(eager.p99Ms), "ms", engine === "PGlite" ? undefined : "<= 50");
    row("without a pause", Math.round(eager.perSecond), "requests/s");
  }
}
writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(rows, null, 2)}\n`);

const engines = Object.keys(all);
const lastOf = (engine: string): AtSize => all[engine]?.at(-1) as AtSize;
const table = [
  `${READERS} readers: paced = each asks four times a second, eager = each asks again as soon as it has its answer. ${cpus().length} cores shared by readers, indexer, chain and database; load before the end ${loadavg()[0]?.toFixed(1)}.`,
  "",
  `| events | ${engines.map((engine) => `${engine}: events/s | µs of processor an event | memory MB`).join(" | ")} |`,
  `|---|${engines.map(() => "---|---|---|").join("")}`,
  ...sizes.map((_, index) => {
    const cells = engines.map((engine) => {
      const result = all[engine]?.[index] as AtSize;
      return `${Math.round(result.perSecond)} | ${Math.round(result.cpuMicros)} | ${Math.round(result.rssMb)}${result.serverMb ? ` + ${Math.round(result.serverMb)}` : ""}`;
    });
    return `| ${all[engines[0] as string]?.[index]?.events} | ${cells.join(" | ")} |`;
  }),
  "",
  `| list at ${all[engines[0] as string]?.at(-1)?.events} events | ${engines.map((engine) => `${engine}: paced p50 ms | p99 ms | eager p50 ms | p99 ms | requests/s`).join(" | ")} |`,
  `|---|${engines.map(() => "---|---|---|---|---|").join("")}`,
  ...Object.keys(lists).map((list) => {
    const cells = engines.map((engine) => {
      const { paced, eager = paced } = lastOf(engine).lists[list] as AtSize["lists"][string];
      return [paced.p50Ms, paced.p99Ms, eager.p50Ms, eager.p99Ms]
        .map((ms) => round(ms))
        .concat(Math.round(eager.perSecond))
        .join(" | ");
    });
    return `| ${list} | ${cells.join(" | ")} |`;
  }),
].join("\n");
console.log(table);
writeFileSync(
  join(import.meta.dirname, "results.md"),
  `# Results\n\nWritten by \`npm run bench:indexer\`.\n\n${table}\n\n![growth](growth.svg)\n`,
);
const worst = (result: AtSize) => Math.max(...growing.map((list) => result.lists[list]?.paced.p99Ms ?? 0));
writeFileSync(
  join(import.meta.dirname, "growth.svg"),
  plot({
    title: "Indexer: growth with the number of events",
    panels: [
      {
        label: "events written per second",
        series: engines.map((name) => ({ name, points: (all[name] ?? []).map((r) => [r.events, r.perSecond] as const) })),
      },
      {
        label: "slowest growing list, paced, p99 in ms",
        series: engines.map((name) => ({ name, points: (all[name] ?? []).map((r) => [r.events, worst(r)] as const) })),
      },
    ],
  }),
);
process.exit();
