// npm run bench:proxy [-- --soak 600] [--rounds 3]: the provider beside no proxy, the least one, itself without payment, and a peer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { liveHeap } from "./heap.ts";
import { hold, latencies, type Pace, quantile, type Target, throughput } from "./load.ts";
import { measureSignatures } from "./signatures.ts";
import { type PaidTarget, startTargets } from "./targets.ts";

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
}

const here = import.meta.dirname;
const { values } = parseArgs({ options: { soak: { type: "string", default: "20" }, rounds: { type: "string", default: "3" } } });
const rounds = Number(values.rounds);
const soakMs = Number(values.soak) * 1000;

/** Every answer at once: nothing but the cost of the proxies. */
const burst: Pace = { events: 20, firstMs: 0, gapMs: 0 };
/** A model at work: the first word after 100 ms, then one each 20 ms. */
const model: Pace = { events: 48, firstMs: 100, gapMs: 20 };
const first: Pace = { events: 5, firstMs: 20, gapMs: 0 };

/** The peer is installed once for each lockfile; where that is not possible it is left out. */
function installPeer(): void {
  const stamp = join(here, "node_modules", ".installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(here, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm === undefined ? ["npm", "ci"] : [process.execPath, npm, "ci"];
  if (spawnSync(command as string, args, { cwd: here, stdio: "inherit" }).status === 0) writeFileSync(stamp, wanted);
  else console.error("the peer could not be installed and is left out");
}

const statusOf = (pid: number, key: string) =>
  Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

interface Figures {
  readonly burst: number;
  readonly model: number;
  readonly p50: number;
  readonly p99: number;
}

async function measure(target: Target): Promise<Figures> {
  const burstRate = await throughput(target, burst, 32, 4_000);
  const modelRate = await throughput(target, model, 64, 4_000);
  const times = await latencies(target, first, 120);
  return { burst: burstRate, model: modelRate, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Other programs only ever make a figure worse, so the best round is the one that says most about the target. */
function quietest(all: readonly Figures[]): Figures {
  const most = (key: keyof Figures) => Math.max(...all.map((figures) => figures[key]));
  const least = (key: keyof Figures) => Math.min(...all.map((figures) => figures[key]));
  return { burst: most("burst"), model: most("model"), p50: least("p50"), p99: least("p99") };
}

async function memory(target: PaidTarget): Promise<Row[]> {
  const before = statusOf(target.pid, "VmRSS");
  const endIdle = await hold(target, { events: Number.MAX_SAFE_INTEGER, firstMs: 0, gapMs: 3_600_000 }, 1_000);
  await sleep(2_000);
  const idle = statusOf(target.pid, "VmRSS");
  endIdle();
  await sleep(3_000);
  const endLive = await hold(target, { events: Number.MAX_SAFE_INTEGER, firstMs: 0, gapMs: 50 }, 200);
  await sleep(5_000);
  const live = statusOf(target.pid, "VmRSS");
  endLive();
  await sleep(2_000);
  return [
    { name: "memory before", value: before, unit: "MiB" },
    { name: "memory with 1,000 idle streams", value: idle, unit: "MiB" },
    { name: "memory for one idle stream", value: ((idle - before) * 1024) / 1_000, unit: "KiB" },
    { name: "memory with 200 live streams, 20 events/s each", value: live, unit: "MiB" },
  ];
}

/** What a full collection leaves after a quarter and at the end of steady load, with nothing under way. */
async function soak(target: PaidTarget): Promise<Row[]> {
  const load = (forMs: number) => throughput(target, { events: 20, firstMs: 20, gapMs: 5 }, 16, forMs);
  const before = await load(soakMs / 4);
  const early = await liveHeap(target.child);
  const after = await load((soakMs * 3) / 4);
  const late = await liveHeap(target.child);
  return [
    { name: "soak: length", value: soakMs / 1000, unit: "s" },
    { name: "soak: answers", value: (before * soakMs) / 4000 + (after * soakMs * 3) / 4000, unit: "" },
    { name: "soak: live heap after a quarter", value: early, unit: "MiB" },
    { name: "soak: live heap at the end", value: late, unit: "MiB" },
    { name: "soak: growth", value: (late / early - 1) * 100, unit: "%", goal: "<= 10" },
  ];
}

function meets({ value, goal }: Row): boolean {
  const [, sign, limit] = /^(<=|>=) (\S+)$/.exec(goal ?? "") ?? [];
  return sign === undefined || (sign === "<=" ? value <= Number(limit) : value >= Number(limit));
}

installPeer();
const targets = await startTargets();
try {
  const all = [targets.direct, targets.bare, targets.unpaid, targets.paid, targets.paidServer, targets.portkey].filter((one) => !!one);
  const figures = new Map<string, Figures[]>(all.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const target of all) figures.get(target.name)?.push(await measure(target));
    console.error(`round ${round} of ${rounds}, load ${loadavg()[0]?.toFixed(1)}`);
  }
  const best = new Map([...figures].map(([name, list]) => [name, quietest(list)]));
  const of = (target: Target) => best.get(target.name) as Figures;
  const [direct, bare, unpaid] = [of(targets.direct), of(targets.bare), of(targets.unpaid)];

  const rows: Row[] = [];
  for (const target of all) {
    const { name } = target;
    const own = of(target);
    const paid = target === targets.paid || target === targets.paidServer;
    rows.push({ name: `${name}: answers at once`, value: own.burst, unit: "1/s" });
    rows.push({ name: `${name}: answers of a model, 64 at a time`, value: own.model, unit: "1/s" });
    rows.push({ name: `${name}: first byte p50`, value: own.p50, unit: "ms" });
    rows.push({ name: `${name}: first byte p99`, value: own.p99, unit: "ms" });
    if (target === targets.direct) continue;
    const added = { name: `${name}: first byte p50 over direct`, value: own.p50 - direct.p50, unit: "ms" };
    rows.push(paid ? { ...added, goal: "<= 2" } : added);
    rows.push({ name: `${name}: first byte p99 over direct`, value: own.p99 - direct.p99, unit: "ms" });
    if (target === targets.bare) continue;
    for (const [what, key] of [
      ["at once", "burst"],
      ["of a model", "model"],
    ] as const) {
      const overBare = { name: `${name} / bare, answers ${what}`, value: own[key] / bare[key], unit: "" };
      rows.push(target === targets.portkey ? overBare : { ...overBare, goal: ">= 0.8" });
      if (paid) rows.push({ name: `${name} / unpaid, answers ${what}`, value: own[key] / unpaid[key], unit: "", goal: ">= 0.7" });
    }
  }
  rows.push(...(await measureSignatures()), ...(await memory(targets.paid)), ...(await soak(targets.paid)));

  const shown = rows.map((row) => ({ ...row, value: Number(row.value.toPrecision(4)) }));
  const lines = shown.map(
    (row) => `| ${row.name} | ${row.value} | ${row.unit} | ${row.goal ?? ""} | ${row.goal ? (meets(row) ? "yes" : "no") : ""} |`,
  );
  const text = ["| what | value | unit | goal | met |", "|---|---:|---|---|---|", ...lines, ""].join("\n");
  writeFileSync(join(here, "results.json"), `[\n${shown.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
  writeFileSync(join(here, "results.md"), text);
  console.log(text);
} finally {
  await targets.stop();
}
