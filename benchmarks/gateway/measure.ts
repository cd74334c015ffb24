import { Agent, request } from "node:http";

export interface Timed {
  readonly status: number;
  /** From sending until the first word was here; undefined when none came. */
  readonly firstWordMs: number | undefined;
  readonly totalMs: number;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 500 });

/** One streamed chat over a connection that is kept, as clients have it. */
export function timedChat(base: string, headers: Readonly<Record<string, string>>, body: object): Promise<Timed> {
  const sentAt = performance.now();
  return new Promise((resolve, reject) => {
    const payload = JSON.stringify({ stream: true, ...body });
    const outgoing = request(
      `${base}/v1/chat/completions`,
      { method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload), ...headers } },
      (response) => {
        let text = "";
        let firstWordMs: number | undefined;
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          if (firstWordMs === undefined && /"content":"[^"]/.test(text)) firstWordMs = performance.now() - sentAt;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, firstWordMs, totalMs: performance.now() - sentAt, text }));
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
}

export const row = (name: string, value: number, unit: string, goal?: string): Row => ({
  name,
  value: Math.round(value * 100) / 100,
  unit,
  ...(goal === undefined ? {} : { goal }),
});

export function meets({ value, goal }: Row): boolean {
  const [, sign, limit] = /^(<=|>=) ([\d.]+)$/.exec(goal ?? "") ?? [];
  if (limit === undefined) return true;
  return sign === "<=" ? value <= Number(limit) : value >= Number(limit);
}
