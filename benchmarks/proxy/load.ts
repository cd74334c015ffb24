import { Agent, type ClientRequest, request } from "node:http";

/** What the model server is asked for. */
export interface Pace {
  readonly events: number;
  readonly firstMs: number;
  readonly gapMs: number;
}

export interface Target {
  readonly name: string;
  readonly port: number;
  /** For connection `index`. */
  readonly headers: (index: number) => Record<string, string>;
}

const bodyOf = (pace: Pace) => JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: JSON.stringify(pace) }] });

interface Answer {
  readonly firstByteMs: number;
  readonly done: boolean;
}

function ask(
  { port, headers }: Target,
  agent: Agent,
  index: number,
  body: string,
  onOpen?: (sent: ClientRequest) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstByteMs = 0;
    let tail = "";
    const sent = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        method: "POST",
        path: "/v1/chat/completions",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers(index) },
      },
      (response) => {
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          if (firstByteMs === 0) {
            firstByteMs = performance.now() - startedAt;
            onOpen?.(sent);
          }
          tail = (tail + part).slice(-400);
        });
        response.once("error", reject);
        response.once("end", () => {
          if (response.statusCode !== 200) return reject(new Error(`${response.statusCode}: ${tail}`));
          resolve({ firstByteMs, done: tail.includes("[DONE]") });
        });
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

/** One after another: times to the first byte, sorted, in ms. */
export async function latencies(target: Target, pace: Pace, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const body = bodyOf(pace);
  const times: number[] = [];
  for (let done = 0; done < count + 5; done += 1) {
    const { firstByteMs } = await ask(target, agent, 0, body);
    if (done >= 5) times.push(firstByteMs);
  }
  agent.destroy();
  return times.sort((a, b) => a - b);
}

/** Whole answers per second over `connections`. Throws when one of them is not whole. */
export async function throughput(target: Target, pace: Pace, connections: number, forMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const body = bodyOf(pace);
  const startedAt = performance.now();
  let answers = 0;
  await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      while (performance.now() - startedAt < forMs) {
        const { done } = await ask(target, agent, index, body);
        if (!done) throw new Error(`${target.name} cut an answer`);
        answers += 1;
      }
    }),
  );
  agent.destroy();
  return (answers * 1000) / (performance.now() - startedAt);
}

/** Opens streams that go on; resolves when each has its first byte. The returned function ends them. */
export async function hold(target: Target, pace: Pace, count: number): Promise<() => void> {
  const agent = new Agent({ keepAlive: false });
  const body = bodyOf(pace);
  const open: ClientRequest[] = [];
  await Promise.all(
    Array.from(
      { length: count },
      (_, index) =>
        new Promise<void>((resolve, reject) => {
          ask(target, agent, index, body, (sent) => {
            open.push(sent);
            resolve();
          }).catch(reject);
        }),
    ),
  );
  return () => {
    for (const sent of open) sent.destroy();
    agent.destroy();
  };
}

export const quantile = (sorted: readonly number[], at: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
