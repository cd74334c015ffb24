// npm run bench:indexer [-- --events 1000000 --seconds 1.2]: how fast events are written and pages read, at three sizes, on both databases.
// A list is read for so many seconds by paced readers, half as long by eager ones, and a fifth as long by those who want the same page.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findPostgres, type LocalPostgres, startPostgres } from "@clawcompute/lib/testing";
import { startIndexerProcess } from "../../agents/indexer/testing/follower.ts";
import { crowdAsks, growing, lists } from "./lists.ts";
import { measure, measureMixed } from "./load.ts";
import { type AtList, type AtSize, writeReport } from "./report.ts";
import { eventsOf } from "./syntheticEvents.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" }, seconds: { type: "string", default: "1.2" } } });
const READERS = 50;
/** Four questions a second each, as of a page that shows several lists and follows them. */
const PACE_MS = 250;
/** While a crowd reads. */
const BLOCK_MS = 1_000;
const total = Number(values.events);
const sizes = [0.1, 0.3, 1].map((part) => Math.round(total * part));

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
  const setHead = (head: number) => fetch(`${chain.url}/head`, { method: "POST", body: JSON.stringify({ head }) });
  const results: AtSize[] = [];
  let before = 0;
  for (const { block, events, streams } of blocksFor(sizes)) {
    const wroteBefore = await metric(indexer.url, "clawcompute_indexer_write_seconds_sum");
    const [started, cpuBefore] = [performance.now(), cpuSeconds(indexer.pid)];
    await setHead(block);
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
    const atLists: Record<string, AtList> = {};
    const isLargest = events >= total;
    const ms = Number(values.seconds) * (isLargest ? 1_000 : 600);
    const ask = (turn: number) => {
      const { list, path } = crowdAsks(turn, streams);
      return { list, url: `${indexer.url}${path}` };
    };
    // Not counted: a program that has run for a while has all statements planned and its code compiled.
    await measureMixed((turn) => ask(turn + 3_000_000), { readers: READERS, ms, everyMs: 0 });
    for (const [list, path] of Object.entries(lists)) {
      if (!isLargest && !growing.includes(list)) continue;
      const urlOf = (turn: number) => `${indexer.url}${path(turn, streams)}`;
      const paced = await measure(urlOf, { readers: READERS, ms, everyMs: PACE_MS });
      atLists[list] = { paced };
      const told = [`paced p99 ${paced.p99Ms.toFixed(1)} ms`];
      if (isLargest) {
        const [cpu, load] = [cpuSeconds(indexer.pid), { readers: READERS, ms: ms / 2, everyMs: 0 }];
        const eager = await measure((turn) => urlOf(turn + 1_000_000), load);
        const cpuMs = ((cpuSeconds(indexer.pid) - cpu) * 1_000) / (eager.perSecond * (ms / 2_000));
        const shared = await measure(() => urlOf(2_000_000), { ...load, ms: ms / 5 });
        atLists[list] = { paced, eager, shared, cpuMs };
        told.push(`eager p50 ${eager.p50Ms.toFixed(1)}, p99 ${eager.p99Ms.toFixed(1)} ms, ${eager.perSecond.toFixed(0)}/s`);
        told.push(`${cpuMs.toFixed(2)} ms of processor a page; shared p99 ${shared.p99Ms.toFixed(1)} ms`);
      }
      console.error(`  ${list.padEnd(26)} ${told.join("; ")}`);
    }
    if (isLargest) {
      let head = block;
      const blocks = setInterval(() => void setHead(++head), BLOCK_MS);
      const crowd = await measureMixed(ask, { readers: READERS, ms: ms * 5, everyMs: 0 });
      clearInterval(blocks);
      for (const [list, latency] of Object.entries(crowd)) atLists[list] = { ...(atLists[list] as AtList), crowd: latency };
      console.error(`  a crowd, all lists: slowest p99 ${Math.max(...Object.values(crowd).map(({ p99Ms }) => p99Ms)).toFixed(1)} ms`);
    }
    results.push({
      events,
      perSecond,
      cpuMicros,
      rssMb: rssMb(indexer.pid),
      serverMb: (server?.memoryKib() ?? 0) / 1024,
      lists: atLists,
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

writeReport(all, READERS);
process.exit();
