// npm run bench:registry: what reading offers costs with many providers, for the gateway and for the dashboard.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { computeRegistryAbi } from "@clawcompute/lib/abi";
import { connectChain, listActiveOffers, marketBounds } from "@clawcompute/lib/chain";
import { createIndexerClient, type IndexerClient } from "@clawcompute/lib/indexer";
import { createLogger, systemClock } from "@clawcompute/lib/node";
import { startLocalChain } from "@clawcompute/lib/testing";
import { zeroAddress } from "viem";
import { findOffers } from "../../agents/gateway/discovery.ts";
import { createCatalog } from "../../agents/gateway/selection/catalog.ts";
import { childEnv } from "../../scripts/dev/childEnv.ts";
import { seed } from "../../scripts/dev/seed.ts";
import { plot } from "../indexer/plot.ts";

const { values: flags } = parseArgs({ options: { providers: { type: "string", default: "100000" } } });
// Whole transactions of the seeding, which goes on from one size to the next.
const [least = 250, middle = 250, most = 250] = [100, 10, 1].map(
  (part) => Math.max(1, Math.round(Number(flags.providers) / part / 250)) * 250,
);
const sizes = [least, middle, most];
const model = "seed-model-07";
/** That the seeding spreads its offers over. */
const MODELS = 50;
const root = join(import.meta.dirname, "..", "..");
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const logger = createLogger({ name: "bench", level: "silent" });
const folder = mkdtempSync(join(tmpdir(), "clawcompute-bench-"));

interface AtSize {
  readonly size: number;
  readonly seedSeconds: number;
  readonly cheapestMs: number;
  readonly modelMs: number;
  readonly discoveryMs: number;
  readonly catalogMs: number;
  readonly catalogMb: number;
  readonly marketMs: number;
  readonly indexSeconds: number;
  readonly indexedModelMs: number;
  readonly indexedModelsMs: number;
}

const local = await startLocalChain({ blockTimeMs: 0 });
const indexer = spawn(process.execPath, [join(root, "agents", "cli.ts"), "indexer"], {
  cwd: root,
  env: childEnv({
    NETWORK: "local",
    RPC_URL: local.rpcUrl,
    INDEXER_PORT: "0",
    INDEXER_DATA_DIR: folder,
    INDEXER_PROBE_SECONDS: "0",
    LOG_LEVEL: "info",
  }),
  stdio: ["ignore", "ignore", "pipe"],
});
const results: AtSize[] = [];
try {
  const chain = connectChain(local.network, { timeoutMs: 60_000 });
  const client = createIndexerClient({ url: await urlOf(), timeoutMs: 60_000 });
  for (const size of sizes) {
    process.stderr.write(`${size} providers\n`);
    const started = performance.now();
    await seed({ chain, providers: size, streams: 0, mine: () => local.mine() });
    const seedSeconds = (performance.now() - started) / 1000;
    const indexSeconds = (await timed(() => indexed(client))) / 1000;
    const { registry } = chain.network.contracts;
    const cheapest = () =>
      chain.client.readContract({ address: registry, abi: computeRegistryAbi, functionName: "getCheapestProvider", args: [model] });
    const catalog = createCatalog({ chain, asset: zeroAddress, clock: systemClock, logger, renewAfterMs: 1e9, staleAfterMs: 1e9 });
    const before = await heap();
    const { whole, perModel } = marketBounds;
    const catalogMs = await timed(async () => expect((await catalog.offers()).length, size <= whole ? size : MODELS * perModel));
    const catalogMb = (await heap()) - before;
    results.push({
      size,
      seedSeconds,
      cheapestMs: await median(cheapest),
      modelMs: await median(() => listActiveOffers(chain, { model, asset: zeroAddress, limit: 50 })),
      discoveryMs: await median(() => findOffers(chain, { model })),
      catalogMs,
      catalogMb,
      marketMs: await timed(async () => expect((await listActiveOffers(chain)).length, size)),
      indexSeconds,
      indexedModelMs: await median(() => client.get("providers", { model, active: "true", sort: "price", limit: 50 })),
      indexedModelsMs: await median(() => client.get("models", { limit: 50 })),
    });
    await catalog.offers();
  }
} finally {
  indexer.kill("SIGTERM");
  await new Promise((resolve) => (indexer.exitCode === null ? indexer.once("exit", resolve) : resolve(undefined)));
  await local.stop();
  rmSync(folder, { recursive: true, force: true });
}

const round = (value: number) => Math.round(value * 10) / 10;
const rows = results.flatMap(({ size, ...at }) => [
  {
    name: `cheapest offer of a model from the chain, ${size} providers`,
    value: round(at.cheapestMs),
    unit: "ms",
    ...(size === most ? { goal: "<= 50" } : {}),
  },
  {
    name: `50 cheapest of a model from the chain, ${size} providers`,
    value: round(at.modelMs),
    unit: "ms",
    ...(size === most ? { goal: "<= 500" } : {}),
  },
  {
    name: `gateway finds a model's offers, ${size} providers`,
    value: round(at.discoveryMs),
    unit: "ms",
    ...(size === most ? { goal: "<= 1000" } : {}),
  },
  {
    name: `gateway looks at the market for auto, ${size} providers`,
    value: Math.round(at.catalogMs),
    unit: "ms",
    ...(size === most ? { goal: "<= 1000" } : {}),
  },
  { name: `memory of what it has seen, ${size} providers`, value: Math.round(at.catalogMb), unit: "MB" },
  { name: `dashboard reads all offers from the chain, ${size} providers`, value: round(at.marketMs / 1000), unit: "s" },
  {
    name: `dashboard's 50 cheapest of a model from the indexer, ${size} providers`,
    value: round(at.indexedModelMs),
    unit: "ms",
    ...(size === most ? { goal: "<= 50" } : {}),
  },
  {
    name: `dashboard's models from the indexer, ${size} providers`,
    value: round(at.indexedModelsMs),
    unit: "ms",
    ...(size === most ? { goal: "<= 50" } : {}),
  },
]);
const table = [
  `A real chain with providers of 50 models, registered through the contract; medians of five, the market and whole reads once. The gateway reads all of up to ${marketBounds.whole} offers, of a larger market the ${marketBounds.perModel} cheapest of each model.`,
  "",
  "| providers | cheapest of a model | 50 cheapest of a model | gateway finds a model's offers | gateway looks at the market | held in memory | all offers, dashboard from the chain | 50 cheapest, indexer | models, indexer |",
  "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
  ...results.map(
    (at) =>
      `| ${at.size.toLocaleString("en")} | ${at.cheapestMs.toFixed(1)} ms | ${at.modelMs.toFixed(1)} ms | ${at.discoveryMs.toFixed(0)} ms | ${at.catalogMs.toFixed(0)} ms | ${at.catalogMb.toFixed(0)} MB | ${(at.marketMs / 1000).toFixed(1)} s | ${at.indexedModelMs.toFixed(1)} ms | ${at.indexedModelsMs.toFixed(1)} ms |`,
  ),
  "",
  `Registering the last size took ${results.at(-1)?.seedSeconds.toFixed(0)} s, reading it into the indexer ${results.at(-1)?.indexSeconds.toFixed(1)} s more.`,
].join("\n");
console.log(table);
const here = import.meta.dirname;
writeFileSync(join(here, "results.json"), `${JSON.stringify(rows, null, 2)}\n`);
writeFileSync(join(here, "results.md"), `# Results\n\nWritten by \`npm run bench:registry\`.\n\n${table}\n\n![growth](growth.svg)\n`);
const series = (name: string, value: (at: AtSize) => number) => ({ name, points: results.map((at) => [at.size, value(at)] as const) });
writeFileSync(
  join(here, "growth.svg"),
  plot({
    title: "Registry: growth with the number of providers",
    panels: [
      {
        label: "one model, ms",
        series: [
          series("cheapest", (at) => at.cheapestMs),
          series("gateway", (at) => at.discoveryMs),
          series("indexer", (at) => at.indexedModelMs),
        ],
      },
      { label: "all models, s", series: [series("gateway", (at) => at.catalogMs / 1000), series("dashboard", (at) => at.marketMs / 1000)] },
    ],
  }),
);
process.exit();

/** What is left of the heap after two collections, in MB: answers that are being freed take a moment. */
async function heap(): Promise<number> {
  for (let turn = 0; turn < 2; turn += 1) {
    await systemClock.sleep(100);
    collect();
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 5; run += 1) times.push(await timed(work));
  return times.sort((a, b) => a - b)[2] as number;
}

function expect(found: number, size: number): void {
  if (found !== size) throw new Error(`${found} offers instead of ${size}`);
}

async function indexed(client: IndexerClient): Promise<void> {
  const head = Number(await connectChain(local.network).client.getBlockNumber());
  while ((await client.get("health")).block < head) await systemClock.sleep(50);
}

/** The address that the indexer says it listens on. */
function urlOf(): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    indexer.once("exit", (code) => reject(new Error(`the indexer ended with code ${code}`)));
    indexer.stderr?.on("data", (part) => {
      text += part;
      const found = /"url":"(http:[^"]+)"/.exec(text);
      if (found?.[1]) resolve(found[1]);
    });
  });
}
