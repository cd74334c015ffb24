// npm run bench:gateway: what the gateway adds to an answer, opens, survives and carries; writes results.json and results.md.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { directSession } from "./directSession.ts";
import { meets, quantile, type Row, row, timedChat } from "./measure.ts";
import { freePort, type Part, startNetwork, startPart } from "./network.ts";

const here = import.meta.dirname;
const rounds = Number(process.env.BENCH_ROUNDS ?? 200);
const CLIENTS = 100;
const ask = { model: "echo", messages: [{ role: "user", content: "one two three four five six seven eight" }] };
const rows: Row[] = [];

/** The peer's packages; nothing else needs them. */
function installPeer(): string {
  const program = join(here, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
  if (existsSync(program)) return program;
  const npm = process.env.npm_execpath;
  const command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--workspaces=false"];
  const { status } = npm
    ? spawnSync(process.execPath, [npm, ...command], { cwd: here, stdio: "inherit" })
    : spawnSync("npm", command, { cwd: here, stdio: "inherit" });
  if (status !== 0) throw new Error("the peer's packages could not be installed");
  return program;
}

/** Another npm gateway in front of the same provider with the same token. */
async function startPeer(): Promise<Part> {
  const port = String(await freePort());
  return startPart(
    ["--import", join(here, "mutableResponses.mjs"), installPeer(), `--port=${port}`, "--headless"],
    {},
    /running at|localhost:|ready/i,
    `http://127.0.0.1:${port}`,
  );
}

async function firstWords(base: string, headers: Record<string, string>): Promise<{ firstWordMs: number; totalMs: number }> {
  const { status, firstWordMs, totalMs, text } = await timedChat(base, headers, ask);
  if (status !== 200 || firstWordMs === undefined || !text.includes("[DONE]"))
    throw new Error(`${base} answered ${status}: ${text.slice(0, 1000)}`);
  return { firstWordMs, totalMs };
}

/** Takes turns, so that whatever else the machine does strikes all alike. */
async function overhead(): Promise<void> {
  const network = await startNetwork(1_000);
  try {
    const provider = await network.provider({ account: 1, price: "0.00001" });
    const gateway = await network.gateway({ STREAM_IDLE_SECONDS: "600", DEPOSIT_SECONDS: "600" });
    const peer = await startPeer();
    try {
      const token = await directSession(network.chain, 1);
      const direct = { authorization: `Bearer ${token}` };
      const ways = {
        direct: () => firstWords(provider.url, direct),
        gateway: () => firstWords(gateway.url, {}),
        peer: () => firstWords(peer.url, { ...direct, "x-portkey-provider": "openai", "x-portkey-custom-host": `${provider.url}/v1` }),
      };
      const took: Record<keyof typeof ways, number[]> = { direct: [], gateway: [], peer: [] };
      for (let round = -20; round < rounds; round += 1) {
        for (const [name, way] of Object.entries(ways)) {
          const { firstWordMs } = await way();
          if (round >= 0) took[name as keyof typeof ways].push(firstWordMs);
        }
      }
      const at = (name: keyof typeof ways, share: number) => quantile(took[name], share);
      for (const share of [0.5, 0.99]) {
        const label = `p${share * 100}`;
        rows.push(row(`first word, provider directly, ${label}`, at("direct", share), "ms"));
        rows.push(row(`first word, through the gateway, ${label}`, at("gateway", share), "ms"));
        rows.push(row(`first word, through Portkey 1.15.2, ${label}`, at("peer", share), "ms"));
        rows.push(
          row(`added by the gateway, ${label}`, at("gateway", share) - at("direct", share), "ms", share === 0.5 ? "<= 5" : "<= 30"),
        );
        rows.push(row(`added by Portkey 1.15.2, ${label}`, at("peer", share) - at("direct", share), "ms"));
      }
      await crowd("provider directly", ways.direct);
      await crowd("the gateway", ways.gateway);
      await crowd("Portkey 1.15.2", ways.peer);
      const status = (await (await fetch(`${gateway.url}/gateway/status`)).json()) as { streams: unknown[] };
      rows.push(row(`streams open for ${CLIENTS} clients`, status.streams.length, "streams", "<= 1"));
    } finally {
      await peer.kill("SIGKILL");
    }
  } finally {
    await network.stop();
  }
}

/** Many clients at once, each asking again and again. What went wrong is printed. */
async function crowd(through: string, way: () => Promise<{ totalMs: number }>): Promise<void> {
  const each = 5;
  const took: number[] = [];
  let failed = 0;
  const failures = new Map<string, number>();
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let count = 0; count < each; count += 1) {
        const done = await way().catch((error: Error) => {
          const words = error.message.replace(/req_[\w-]+/g, "req").slice(0, 400);
          failures.set(words, (failures.get(words) ?? 0) + 1);
        });
        if (done) took.push(done.totalMs);
        else failed += 1;
      }
    }),
  );
  for (const [words, count] of failures) console.error(`${count} × ${through}: ${words}`);
  const seconds = (performance.now() - startedAt) / 1000;
  rows.push(row(`${CLIENTS} clients, ${through}: answers a second`, took.length / seconds, "1/s"));
  rows.push(row(`${CLIENTS} clients, ${through}: whole answer p99`, quantile(took, 0.99), "ms"));
  rows.push(row(`${CLIENTS} clients, ${through}: failed`, failed, "answers", ...(through === "the gateway" ? ["<= 0"] : [])));
}

/** No stream is open: from the request to the first word, the block included. */
async function coldOpen(blockTimeMs: number): Promise<void> {
  const network = await startNetwork(blockTimeMs);
  try {
    await network.provider({ account: 1, price: "0.00001" });
    const gateway = await network.gateway();
    const took: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const { firstWordMs } = await firstWords(gateway.url, {});
      took.push(firstWordMs);
      await fetch(`${gateway.url}/gateway/stop`, { method: "POST" });
    }
    const seconds = blockTimeMs / 1000;
    rows.push(row(`cold open to first word, ${seconds} s blocks, p50`, quantile(took, 0.5), "ms", `<= ${blockTimeMs * 2 + 500}`));
    rows.push(row(`cold open to first word, ${seconds} s blocks, worst of 8`, Math.max(...took), "ms"));
  } finally {
    await network.stop();
  }
}

/** The provider in use is killed; the next request notices it and is answered by another one, the move of the deposit included. */
async function failover(): Promise<void> {
  const network = await startNetwork(1_000);
  try {
    const first = await network.provider({ account: 1, price: "0.00001" });
    await network.provider({ account: 2, price: "0.00002" });
    const gateway = await network.gateway();
    await firstWords(gateway.url, {});
    await first.kill("SIGKILL");
    const { firstWordMs } = await firstWords(gateway.url, {});
    rows.push(row("failover from a killed provider, deposit moved, 1 s blocks", firstWordMs, "ms", "<= 3000"));
  } finally {
    await network.stop();
  }
}

/** The same crowd before a provider as `npm start` has it: four answers at once over one stream. Then clients that leave. */
async function defaults(): Promise<void> {
  const network = await startNetwork(1_000);
  try {
    await network.provider({ account: 1, price: "0.00001", env: {} });
    const gateway = await network.gateway({ STREAM_IDLE_SECONDS: "600" });
    const outcomes = { answered: 0, refused: 0, failed: 0 };
    await Promise.all(
      Array.from({ length: CLIENTS * 2 }, async () => {
        const { status, text } = await timedChat(gateway.url, {}, ask).catch((error: Error) => ({ status: 0, text: error.message }));
        if (status === 200 && text.includes("[DONE]")) outcomes.answered += 1;
        else if (status === 429 || status === 503) outcomes.refused += 1;
        else {
          outcomes.failed += 1;
          console.error(`${status}: ${text.slice(0, 400)}`);
        }
      }),
    );
    rows.push(row(`${CLIENTS * 2} requests at once, a provider's defaults: answered`, outcomes.answered, "answers", `>= ${CLIENTS * 2}`));
    rows.push(row(`${CLIENTS * 2} requests at once, a provider's defaults: refused with retry-after`, outcomes.refused, "answers"));
    rows.push(row(`${CLIENTS * 2} requests at once, a provider's defaults: failed`, outcomes.failed, "answers", "<= 0"));
    const long = { ...ask, messages: [{ role: "user", content: "word ".repeat(20_000) }] };
    const leaving = 50;
    for (let count = 0; count < leaving; count += 1) {
      const gone = new AbortController();
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...long, stream: true }),
        signal: gone.signal,
      });
      await response.body?.getReader().read();
      gone.abort();
    }
    rows.push(row("clients that left: share whose provider was told within 1 s", await toldWithinASecond(gateway.url), "", ">= 0.99"));
  } finally {
    await network.stop();
  }
}

/** From the histogram that the gateway keeps (P9). */
async function toldWithinASecond(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const of = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const within = of(/^clawcompute_gateway_disconnect_seconds_bucket\{le="1"[^}]*\} (\d+)$/m);
  return within / of(/^clawcompute_gateway_disconnect_seconds_count (\d+)$/m);
}

const parts = { overhead, defaults, coldOpen: () => coldOpen(1_000), coldOpenFast: () => coldOpen(450), failover };
// `npm run bench:gateway -- failover` runs a part of it and writes nothing.
const wanted = process.argv.slice(2);
for (const [name, measure] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await measure();
rmSync(join(here, "..", "..", ".local", "bench-gateway"), { recursive: true, force: true });

const width = Math.max(...rows.map(({ name }) => name.length));
const lines = rows.map((entry) => {
  const { name, value, unit, goal } = entry;
  return `| ${name.padEnd(width)} | ${String(value).padStart(9)} ${unit.padEnd(7)} | ${(goal ? `${goal}${meets(entry) ? "" : ", missed"}` : "").padEnd(16)} |`;
});
const text = [
  `| ${"what".padEnd(width)} | ${"value".padStart(9)} ${"".padEnd(7)} | ${"goal".padEnd(16)} |`,
  `|${"-".repeat(width + 2)}|${"-".repeat(19)}|${"-".repeat(18)}|`,
  ...lines,
].join("\n");
if (wanted.length === 0) writeFileSync(join(here, "results.json"), `[\n${rows.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
if (wanted.length === 0) writeFileSync(join(here, "results.md"), `${text}\n`);
console.log(text);
process.exit(0);
