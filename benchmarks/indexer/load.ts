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
export async function measure(urlOf: (turn: number) => string, { readers, ms, everyMs }: Load): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: readers });
  const times: number[] = [];
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
        const asked = performance.now();
        await read(urlOf(turn++), agent);
        if (asked >= counted) times.push(performance.now() - asked);
      }
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), perSecond: times.length / ((until - counted) / 1000) };
}

function read(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.once("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}`))));
    }).once("error", reject);
  });
}
