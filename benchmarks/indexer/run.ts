// npm run bench:indexer [-- --events 1000000 --seconds 4]: how fast events are written and pages read, at three sizes, on both databases.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findPostgres, type LocalPostgres, startPostgres } from "@clawcompute/lib/testing";
import { startIndexerProcess } from "../../agents/indexer/testing/follower.ts";
import { type Latency, measure } from "./load.ts";
import { plot } from "./plot.ts";
import { eventsOf, modelOf, ownerAddress, PAYERS, PROVIDERS, payerAddress } from "./syntheticEvents.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" }, seconds: { type: "string", default: "4" } } });
const READERS = 50;
/** Four questions a second each, as of a page that shows several lists and follows them. */
const PACE_MS = 250;
const total = Number(values.events);
const sizes = [0.1, 0.3, 1].map((part) => Math.round(total * part));

/** Parameters change from request to request, so that hardly any page is asked for twice. */
const routes: Record<string, (turn: number, streams: number) => string> = {
  "providers, cheapest": (turn) => `/v1/providers?active=true&minPrice=${1_000 + (turn % 490)}`,
  "providers of a model": (turn) => `/v1/providers?model=${modelOf(turn)}&minPrice=${1_000 + (turn % 400)}`,
  "providers of an owner": (turn) => `/v1/providers?owner=${ownerAddress(1 + (turn % PROVIDERS))}`,
  "provider's days": (turn) => `/v1/providers/${1 + (turn % PROVIDERS)}/days`,
  "provider's history": (turn) => `/v1/providers/${1 + (turn % PROVIDERS)}/history`,
  "streams, newest": (turn, streams) => `/v1/streams?cursor=${cursor(1 + ((turn * 7_919) % streams))}`,
  "streams of a payer": (turn) => `/v1/streams?payer=${payerAddress((turn * 31) % PAYERS)}`,
  "streams of a payee, open": (turn) => `/v1/streams?payee=${ownerAddress(1 + ((turn * 31) % PROVIDERS))}&status=open`,
  "streams of a provider": (turn) => `/v1/streams?providerId=${1 + ((turn * 31) % PROVIDERS)}`,
  "streams by what accrued": (turn) => `/v1/streams?sort=accrued&limit=${50 + (turn % 50)}`,
  "streams, ended": (turn) => `/v1/streams?status=ended&limit=${50 + (turn % 50)}`,
  "stream's events": (turn, streams) => `/v1/streams/${1 + ((turn * 7_919) % streams)}/events`,
  channels: (turn) => `/v1/channels?payer=${payerAddress((turn * 31) % PAYERS)}`,
  "settlements, newest": (turn) => `/v1/settlements?limit=${50 + (turn % 50)}&kind=settled`,
  "settlements of a payer": (turn) => `/v1/settlements?payer=${payerAddress((turn * 31) % PAYERS)}`,
  "credits of an account": (turn) => `/v1/credits?account=${ownerAddress(1 + ((turn * 31) % PROVIDERS))}`,
  keepers: (turn) => `/v1/keepers?limit=${1 + (turn % 500)}`,
  "keepers' actions": (turn) => `/v1/keeper-actions?limit=${50 + (turn % 50)}`,
  models: (turn) => `/v1/models?limit=${50 + (turn % 50)}`,
  "price changes": (turn) => `/v1/prices?model=${modelOf(turn)}&limit=${50 + (turn % 50)}`,
  "daily prices": (turn) => `/v1/prices/daily?model=${modelOf(turn)}`,
  "days of the network": (turn) => `/v1/daily?limit=${50 + (turn % 50)}`,
  stats: () => "/v1/stats",
};
const cursor = (id: number) => Buffer.from(JSON.stringify([String(id)])).toString("base64url");

interface AtSize {
  readonly events: number;
  readonly perSecond: number;
  readonly writeShare: number;
  readonly rssMb: number;
  readonly serverMb: number;
  readonly routes: Readonly<Record<string, { readonly paced: Latency; readonly eager: Latency }>>;
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
const metric = async (url: string, name: string) =>
  Number(new RegExp(`^${name} (.+)$`, "m").exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);

async function bench(name: string, env: Record<string, string>, server: LocalPostgres | undefined): Promise<AtSize[]> {
  const chain = await startSyntheticChain();
  const indexer = await startIndexerProcess({ ...env, RPC_URL: chain.url, LOG_LEVEL: "info" });
  const results: AtSize[] = [];
  let before = 0;
  for (const { block, events, streams } of blocksFor(sizes)) {
    const [started, wroteBefore] = [performance.now(), await metric(indexer.url, "clawcompute_indexer_write_seconds_sum")];
    await fetch(`${chain.url}/head`, { method: "POST", body: JSON.stringify({ head: block }) });
    for (;;) {
      const { block: at } = (await (await fetch(`${indexer.url}/health`)).json()) as { block: number };
      if (at >= block) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const seconds = (performance.now() - started) / 1000;
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
    const latencies: Record<string, { paced: Latency; eager: Latency }> = {};
    for (const [route, path] of Object.entries(routes)) {
      const urlOf = (turn: number) => `${indexer.url}${path(turn, streams)}`;
      const ms = Number(values.seconds) * 1000;
      const paced = await measure(urlOf, { readers: READERS, ms, everyMs: PACE_MS });
      const eager = await measure((turn) => urlOf(turn + 1_000_000), { readers: READERS, ms, everyMs: 0 });
      latencies[route] = { paced, eager };
      const told = [
        `paced p50 ${paced.p50Ms.toFixed(1)}, p99 ${paced.p99Ms.toFixed(1)} ms`,
        `eager p50 ${eager.p50Ms.toFixed(1)}, p99 ${eager.p99Ms.toFixed(1)} ms, ${eager.perSecond.toFixed(0)}/s`,
      ];
      console.error(`  ${route.padEnd(26)} ${told.join("; ")}`);
    }
    results.push({
      events,
      perSecond,
      writeShare: wrote / seconds,
      rssMb: rssMb(indexer.pid),
      serverMb: (server?.memoryKib() ?? 0) / 1024,
      routes: latencies,
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
  for (const [route, { paced, eager }] of Object.entries(largest.routes)) {
    rows.push({
      name: `${engine}: ${route}, ${READERS} readers with 4 requests a second each, p99`,
      value: round(paced.p99Ms),
      unit: "ms",
      goal: "<= 50",
    });
    rows.push({
      name: `${engine}: ${route}, ${READERS} readers without a pause, p99`,
      value: round(eager.p99Ms),
      unit: "ms",
      goal: "<= 50",
    });
    rows.push({ name: `${engine}: ${route}, ${READERS} readers without a pause`, value: Math.round(eager.perSecond), unit: "requests/s" });
  }
}
writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(rows, null, 2)}\n`);

const engines = Object.keys(all);
const lastOf = (engine: string): AtSize => all[engine]?.at(-1) as AtSize;
const table = [
  `${READERS} readers: paced = each asks four times a second, eager = each asks again as soon as it has its answer. ${cpus().length} cores shared by readers, indexer, chain and database; load before the end ${loadavg()[0]?.toFixed(1)}.`,
  "",
  `| events | ${engines.map((engine) => `${engine}: events/s | memory MB`).join(" | ")} |`,
  `|---|${engines.map(() => "---|---|").join("")}`,
  ...sizes.map((_, index) => {
    const cells = engines.map((engine) => {
      const result = all[engine]?.[index] as AtSize;
      return `${Math.round(result.perSecond)} | ${Math.round(result.rssMb)}${result.serverMb ? ` + ${Math.round(result.serverMb)}` : ""}`;
    });
    return `| ${all[engines[0] as string]?.[index]?.events} | ${cells.join(" | ")} |`;
  }),
  "",
  `| list at ${all[engines[0] as string]?.at(-1)?.events} events | ${engines.map((engine) => `${engine}: paced p50 ms | p99 ms | eager p50 ms | p99 ms | requests/s`).join(" | ")} |`,
  `|---|${engines.map(() => "---|---|---|---|---|").join("")}`,
  ...Object.keys(routes).map((route) => {
    const cells = engines.map((engine) => {
      const { paced, eager } = lastOf(engine).routes[route] as AtSize["routes"][string];
      return [paced.p50Ms, paced.p99Ms, eager.p50Ms, eager.p99Ms]
        .map((ms) => round(ms))
        .concat(Math.round(eager.perSecond))
        .join(" | ");
    });
    return `| ${route} | ${cells.join(" | ")} |`;
  }),
].join("\n");
console.log(table);
writeFileSync(
  join(import.meta.dirname, "results.md"),
  `# Results\n\nWritten by \`npm run bench:indexer\`.\n\n${table}\n\n![growth](growth.svg)\n`,
);
const worst = (result: AtSize) => Math.max(...Object.values(result.routes).map(({ paced }) => paced.p99Ms));
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
        label: "slowest list, paced readers, p99 in ms",
        series: engines.map((name) => ({ name, points: (all[name] ?? []).map((r) => [r.events, worst(r)] as const) })),
      },
    ],
  }),
);
process.exit();
