import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { growing, lists } from "./lists.ts";
import type { Latency } from "./load.ts";
import { plot } from "./plot.ts";

/** What readers of one list saw; only `paced` below the largest size. */
export interface AtList {
  readonly paced: Latency;
  /** Each asks again at once, for another page. */
  readonly eager?: Latency;
  /** Each asks again at once, all for the same page. */
  readonly shared?: Latency;
  /** In a crowd that reads all lists while blocks arrive. */
  readonly crowd?: Latency;
  /** Of the indexer's process, for one of the eager readers' pages. */
  readonly cpuMs?: number;
}

export interface AtSize {
  readonly events: number;
  readonly perSecond: number;
  /** Of the indexer's process alone, for one event. */
  readonly cpuMicros: number;
  readonly rssMb: number;
  readonly serverMb: number;
  /** All lists at the largest size, at the others those that grow. */
  readonly lists: Readonly<Record<string, AtList>>;
}

type Results = Readonly<Record<string, readonly AtSize[]>>;

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
}

const round = (value: number, digits = 1) => Number(value.toFixed(digits));
const largestOf = (results: readonly AtSize[]) => results.at(-1) as AtSize;

/** Writes results.json, results.md, growth.svg, and the table of docs/scaling.md. */
export function writeReport(all: Results, readers: number): void {
  const here = import.meta.dirname;
  writeFileSync(join(here, "results.json"), `${JSON.stringify(rowsOf(all, readers), null, 2)}\n`);
  const table = tableOf(all, readers);
  console.log(table);
  writeFileSync(join(here, "results.md"), `# Results\n\nWritten by \`npm run bench:indexer\`.\n\n${table}\n\n![growth](growth.svg)\n`);
  writeFileSync(join(here, "growth.svg"), plotOf(all));
  const document = join(here, "..", "..", "docs", "scaling.md");
  const [before, after] = ["<!-- from npm run bench:indexer -->", "<!-- end -->"];
  const text = readFileSync(document, "utf8");
  const [from, to] = [text.indexOf(before) + before.length, text.indexOf(after)];
  if (to < from) throw new Error("docs/scaling.md has no place for the table");
  writeFileSync(document, `${text.slice(0, from)}\n${costsOf(all)}\n${text.slice(to)}`);
}

function rowsOf(all: Results, readers: number): Row[] {
  const rows: Row[] = [];
  for (const [engine, results] of Object.entries(all)) {
    const row = (name: string, value: number, unit: string, goal?: string) =>
      rows.push({ name: `${engine}: ${name}`, value, unit, ...(goal === undefined ? {} : { goal }) });
    for (const { events, perSecond, rssMb, serverMb } of results) {
      row(`events written, up to ${events} events`, Math.round(perSecond), "events/s");
      row(`memory of the indexer, ${events} events`, Math.round(rssMb), "MB");
      if (serverMb > 0) row(`memory of the server, ${events} events`, Math.round(serverMb), "MB");
    }
    const largest = largestOf(results);
    row("processor time of the indexer for an event", round(largest.cpuMicros), "µs");
    for (const [list, { paced, eager, shared, crowd, cpuMs }] of Object.entries(largest.lists)) {
      const of = `${list}, ${readers} readers`;
      row(`${of} with 4 requests a second each, p99`, round(paced.p99Ms), "ms", "<= 50");
      if (eager) {
        row(`${of} without a pause, p99`, round(eager.p99Ms), "ms", "<= 50");
        row(`${of} without a pause`, Math.round(eager.perSecond), "requests/s");
      }
      if (shared) row(`${of} of the same page without a pause, p99`, round(shared.p99Ms), "ms", "<= 50");
      if (crowd) row(`${list}, in a crowd of ${readers} that reads all lists without a pause, p99`, round(crowd.p99Ms), "ms", "<= 50");
      if (cpuMs !== undefined) row(`${list}, processor time of the indexer for a page`, round(cpuMs, 2), "ms");
    }
  }
  return rows;
}

function tableOf(all: Results, readers: number): string {
  const engines = Object.keys(all);
  const first = all[engines[0] as string] as readonly AtSize[];
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const sizes = first.map(({ events }, index) => {
    const cells = Object.values(all).flatMap((results) => {
      const { perSecond, cpuMicros, rssMb, serverMb } = results[index] as AtSize;
      return [Math.round(perSecond), Math.round(cpuMicros), `${Math.round(rssMb)}${serverMb ? ` + ${Math.round(serverMb)}` : ""}`];
    });
    return line([events, ...cells]);
  });
  const atLists = Object.keys(lists).map((list) => {
    const cells = Object.values(all).flatMap((results) => {
      const { paced, eager, shared, crowd } = largestOf(results).lists[list] as AtList;
      const ms = (latency: Latency | undefined) => (latency ? round(latency.p99Ms) : "");
      return [ms(paced), ms(eager), eager ? Math.round(eager.perSecond) : "", ms(shared), ms(crowd)];
    });
    return line([list, ...cells]);
  });
  const columns = ["paced p99 ms", "eager p99 ms", "eager requests/s", "same page p99 ms", "crowd p99 ms"];
  return [
    `${readers} readers. Paced: each asks four times a second. Eager: each asks again as soon as it has its answer, always for another page, so that every page is a query. Same page: eager, all for one page. Crowd: eager, over all lists at once while a block arrives every second; half of its pages are looked at by others too. ${cpus().length} cores shared by readers, indexer, chain and database; load before the end ${loadavg()[0]?.toFixed(1)}.`,
    "",
    line(["events", ...engines.flatMap((engine) => [`${engine}: events/s`, "µs of processor an event", "memory MB"])]),
    line(["---", ...engines.flatMap(() => ["---", "---", "---"])]),
    ...sizes,
    "",
    line([
      `list at ${largestOf(first).events} events`,
      ...engines.flatMap((engine) => columns.map((column, index) => (index === 0 ? `${engine}: ${column}` : column))),
    ]),
    line(["---", ...engines.flatMap(() => columns.map(() => "---"))]),
    ...atLists,
  ].join("\n");
}

/** What the document about scaling says that one event and one page cost. */
function costsOf(all: Results): string {
  const engines = Object.entries(all).map(([engine, results]) => [engine, largestOf(results)] as const);
  const row = (name: string, value: (at: AtSize) => string) => `| ${name} | ${engines.map(([, at]) => value(at)).join(" | ")} |`;
  const pages = ["streams, newest", "providers, cheapest", "streams of a payer", "credits of an account", "settlements of a payer"];
  return [
    `| at ${engines[0]?.[1].events} events, processor time of the indexer's process | ${engines.map(([engine]) => engine).join(" | ")} |`,
    `|---|${engines.map(() => "---|").join("")}`,
    row("one event: RPC answer, decoding, journal, all tables", ({ cpuMicros }) => `${Math.round(cpuMicros)} µs`),
    ...pages.map((list) => row(`a page nobody has read yet: ${list}`, (at) => `${round(at.lists[list]?.cpuMs ?? 0, 2)} ms`)),
    row("pages of newest streams served in a second", (at) => `${Math.round(at.lists["streams, newest"]?.eager?.perSecond ?? 0)}`),
    row("the same page, to everybody, in a second", (at) => `${Math.round(at.lists["streams, newest"]?.shared?.perSecond ?? 0)}`),
    row("memory of the indexer's process", ({ rssMb }) => `${Math.round(rssMb)} MB`),
  ].join("\n");
}

function plotOf(all: Results): string {
  const worst = (result: AtSize) => Math.max(...growing.map((list) => result.lists[list]?.paced.p99Ms ?? 0));
  const series = (value: (at: AtSize) => number) =>
    Object.entries(all).map(([name, results]) => ({ name, points: results.map((at) => [at.events, value(at)] as const) }));
  return plot({
    title: "Indexer: growth with the number of events",
    panels: [
      { label: "events written per second", series: series(({ perSecond }) => perSecond) },
      { label: "slowest growing list, paced, p99 in ms", series: series(worst) },
    ],
  });
}
