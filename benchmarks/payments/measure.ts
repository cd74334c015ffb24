import { Agent, request } from "node:http";
import type { Pace } from "../proxy/load.ts";

/** Somebody who is asked, and what each request to it carries. */
export interface Payee {
  readonly name: string;
  readonly port: number;
  readonly path?: string;
  /** For the next request; made before its time is taken. */
  readonly next: () => Promise<Readonly<Record<string, string>>>;
}

export interface Asked {
  readonly firstByteMs: number;
  readonly totalMs: number;
  /** Longest silence between two pieces, in ms. */
  readonly longestGapMs: number;
  readonly text: string;
}

export const bodyOf = (pace: Pace): string =>
  JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: JSON.stringify(pace) }] });

/** One request. Throws unless the answer is whole. */
export async function ask({ name, port, path = "/v1/chat/completions", next }: Payee, agent: Agent, body: string): Promise<Asked> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...(await next()) };
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstByteMs = 0;
    let lastAt = 0;
    let longestGapMs = 0;
    let text = "";
    const sent = request({ agent, host: "127.0.0.1", port, method: "POST", path, headers }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        const now = performance.now();
        if (firstByteMs === 0) firstByteMs = now - startedAt;
        else longestGapMs = Math.max(longestGapMs, now - lastAt);
        lastAt = now;
        text += part;
      });
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode !== 200) return reject(new Error(`${name}: ${response.statusCode} ${text.slice(0, 400)}`));
        if (!text.includes("[DONE]")) return reject(new Error(`${name} cut an answer: ${text.slice(-300)}`));
        resolve({ firstByteMs, totalMs: performance.now() - startedAt, longestGapMs, text });
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** Requests one after another, the payees taking turns so that a loud moment hits all of them. Whole times, sorted, by name. */
export async function inTurns(payees: readonly Payee[], pace: Pace, count: number): Promise<Map<string, Asked[]>> {
  const agent = new Agent({ keepAlive: true });
  const body = bodyOf(pace);
  const all = new Map<string, Asked[]>(payees.map(({ name }) => [name, []]));
  for (let done = 0; done < count + 5; done += 1) {
    for (const payee of payees) {
      const asked = await ask(payee, agent, body);
      if (done >= 5) all.get(payee.name)?.push(asked);
    }
  }
  agent.destroy();
  return all;
}

/** Whole answers per second over `connections`. */
export async function throughput(payee: Payee, pace: Pace, connections: number, forMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const body = bodyOf(pace);
  const startedAt = performance.now();
  let answers = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - startedAt < forMs) {
        await ask(payee, agent, body);
        answers += 1;
      }
    }),
  );
  agent.destroy();
  return (answers * 1000) / (performance.now() - startedAt);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
