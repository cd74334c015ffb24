import { Agent, get } from "node:http";

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

export interface Load {
  readonly readers: number;
  readonly ms: number;
  /** Wait between two questions of one reader; 0: it asks again as soon as it has its answer. */
  readonly everyMs: number;
}

/** One connection a reader; the first tenth of the time is not counted. A reader that is late asks at once. */
export async function measure(urlOf: (turn: number) => string, load: Load): Promise<Latency> {
  const latencies = await measureMixed((turn) => ({ list: "", url: urlOf(turn) }), load);
  return latencies[""] as Latency;
}

export interface Question {
  readonly list: string;
  readonly url: string;
}

/** The same with questions of several kinds, each told by itself. */
export async function measureMixed(ask: (turn: number) => Question, { readers, ms, everyMs }: Load): Promise<Record<string, Latency>> {
  const agent = new Agent({ keepAlive: true, maxSockets: readers });
  const times: Record<string, number[]> = {};
  const started = performance.now();
  const counted = started + ms / 10;
  const until = started + ms;
  let turn = 0;
  await Promise.all(
    Array.from({ length: readers }, async (_, reader) => {
      let next = started + (everyMs * reader) / readers;
      while (performance.now() < until) {
        if (next > performance.now()) await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
        next += everyMs;
        const { list, url } = ask(turn++);
        const asked = performance.now();
        await read(url, agent);
        times[list] ??= [];
        if (asked >= counted) times[list].push(performance.now() - asked);
      }
    }),
  );
  agent.destroy();
  const seconds = (until - counted) / 1000;
  return Object.fromEntries(Object.entries(times).map(([list, all]) => [list, latencyOf(all, seconds)]));
}

function latencyOf(times: number[], seconds: number): Latency {
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), perSecond: times.length / seconds };
}

function read(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.once("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}`))));
    }).once("error", reject);
  });
}
