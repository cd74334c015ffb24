// npm run bench:keeper: what planning costs with many open streams, and from which gas price on a batch pays.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { connectChain, createSender, streamPayWrites, watchEvents } from "@clawcompute/lib/chain";
import { formatAmount } from "@clawcompute/lib/money";
import { createLogger, createMetrics, systemClock } from "@clawcompute/lib/node";
import { devAccounts, startLocalChain } from "@clawcompute/lib/testing";
import { formatGwei, parseEther, parseGwei, zeroAddress } from "viem";
import { createKeeper } from "../../agents/keeper/keeper.ts";
import { accruedAt, createOpenStreams, type OpenStream } from "../../agents/keeper/openStreams.ts";
import { type Candidate, gasModel, nativeOnly, type PlanOptions, planBatches } from "../../agents/keeper/plan.ts";
import { openRecords } from "../../agents/keeper/records.ts";
import { chainSource } from "../../agents/keeper/sources.ts";
import { createTurns } from "../../agents/keeper/turns.ts";
import { seed } from "../../scripts/dev/seed.ts";
import { plot } from "../indexer/plot.ts";

const sizes = [1_000, 10_000, 100_000];
const rounds = 7;
const prices = ["0.01", "0.05", "0.1", "0.5", "1", "5", "20"];
const batchSizes = [1, 10, 50, 100, 250, 500];
const rows: { name: string; value: number; unit: string; goal?: string }[] = [];
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const logger = createLogger({ name: "bench", level: "silent" });
const account = devAccounts[4] as (typeof devAccounts)[number];

const local = await startLocalChain({ blockTimeMs: 0 });
try {
  const chain = connectChain({ ...local.network, blockTimeMs: 100 }, { timeoutMs: 60_000 });
  const streams = createOpenStreams();
  const growth: { size: number; planMs: number; worstMs: number; allMs: number; heapMb: number; readMs: number }[] = [];
  let seeded = 0;
  for (const size of sizes) {
    process.stderr.write(`${size} streams\n`);
    await seed({ chain, providers: 1_000, streams: size, mine: () => local.mine() });
    seeded = size;
    await local.advance(3600);
    const readMs = await catchUp();
    const now = Number((await chain.client.getBlock()).timestamp);
    const mixed = Array.from({ length: rounds }, () => timed(() => plan(now, parseGwei("1"))));
    const all = Array.from({ length: rounds }, () => timed(() => plan(now, 1n)));
    growth.push({ size: streams.size(), planMs: median(mixed), worstMs: Math.max(...mixed), allMs: median(all), heapMb: heapOf(), readMs });
  }
  const last = growth.at(-1) as (typeof growth)[number];

  const now = Number((await chain.client.getBlock()).timestamp);
  const byPrice = prices.map((text) => {
    const price = parseGwei(text);
    const batches = plan(now, price);
    const [rewardWei, costWei] = [sum(batches.map((batch) => batch.rewardWei)), sum(batches.map((batch) => batch.costWei))];
    return { price, batches: batches.length, streams: batches.reduce((all, { ids }) => all + ids.length, 0), rewardWei, costWei };
  });

  const rich = [...streams.values()].filter(({ providerId }) => providerId !== 0);
  const poor = [...streams.values()].filter(({ providerId }) => providerId === 0);
  const gas: { size: number; kinds: number[] }[] = [];
  const sender = createSender({ chain, account, logger });
  for (const size of batchSizes) {
    const kinds = [sameOffer(rich, size), differentOffers(rich, size), differentPayees(poor, size)];
    const used: number[] = [];
    for (const ids of kinds) used.push(Number((await sender.estimate(streamPayWrites.batchUpdateStreams(ids))).gas) / ids.length);
    gas.push({ size, kinds: used });
  }

  const sent = (hash: `0x${string}`, tell: ((hash: `0x${string}`) => void) | undefined) => {
    tell?.(hash);
    void local.mine();
  };
  const round = createKeeper({
    chain,
    sender: { ...sender, send: (call, options) => sender.send(call, { ...options, onSent: (hash) => sent(hash, options?.onSent) }) },
    source: chainSource(() => streams.values()),
    turns: createTurns({ chain, own: account.address, everyMs: 30_000, clock: systemClock }),
    records: openRecords(undefined),
    clock: systemClock,
    logger,
    metrics: createMetrics("keeper", false),
    config: { ...planning(0n), everyMs: 30_000, caps: { gasPerHourWei: 10n ** 21n, gasPerDayWei: 10n ** 21n, lossPerDayWei: 0n } },
  });
  const started = performance.now();
  const settled = await round(new AbortController().signal);
  const roundMs = performance.now() - started;
  const updated = settled.reduce((all, { ids }) => all + ids.length, 0);
  const [earned, paid] = [sum(settled.map(({ rewardWei }) => rewardWei)), sum(settled.map(({ feeWei }) => feeWei))];

  for (const { size, planMs, allMs, heapMb, readMs } of growth) {
    const goal = size >= 100_000 ? { goal: "<= 1" } : {};
    rows.push({ name: `planning, ${size} open streams, few worth it`, value: round3(planMs / 1000), unit: "s", ...goal });
    rows.push({ name: `planning, ${size} open streams, all worth it`, value: round3(allMs / 1000), unit: "s", ...goal });
    rows.push({ name: `heap, ${size} open streams`, value: Math.round(heapMb), unit: "MB" });
    rows.push({ name: `reading the events of ${size} streams more`, value: round3(readMs / 1000), unit: "s" });
  }
  for (const { size, kinds } of gas) {
    rows.push({ name: `gas per stream, batch of ${size}, one offer`, value: Math.round(kinds[0] as number), unit: "gas" });
    rows.push({ name: `gas per stream, batch of ${size}, as many payees`, value: Math.round(kinds[2] as number), unit: "gas" });
  }
  rows.push({
    name: `net profit of one round at ${last.size} streams`,
    value: Number(formatAmount(earned - paid)),
    unit: "coin",
    goal: "> 0",
  });
  rows.push({ name: "streams updated in that round", value: updated, unit: "streams" });
  rows.push({ name: "time of that round, mining at once", value: round3(roundMs / 1000), unit: "s" });

  const table = [
    `A real chain with ${seeded.toLocaleString("en")} streams of which one in 64 pays an offer; an hour has accrued. Planning is finding and ranking; the median of ${rounds}.`,
    "",
    "| open streams | planning, 1 in 64 worth it | planning, all worth it | heap | reading the events that were new |",
    "|---:|---:|---:|---:|---:|",
    ...growth.map(
      ({ size, planMs, allMs, heapMb, readMs }) =>
        `| ${size.toLocaleString("en")} | ${planMs.toFixed(0)} ms | ${allMs.toFixed(0)} ms | ${heapMb.toFixed(0)} MB | ${(readMs / 1000).toFixed(1)} s |`,
    ),
    "",
    "Gas per stream by the size of the batch, and what a stream must have accrued for its update to pay (1000 × gas × price):",
    "",
    "| batch | one offer | as many offers | as many payees, no offer | break-even at 0.05 gwei, one offer | at 1 gwei |",
    "|---:|---:|---:|---:|---:|---:|",
    ...gas.map(({ size, kinds }) => {
      const needs = (price: string) => `${formatAmount(BigInt(Math.round(kinds[0] as number)) * parseGwei(price) * 1000n)} coin`;
      return `| ${size} | ${kinds.map((units) => Math.round(units).toLocaleString("en")).join(" | ")} | ${needs("0.05")} | ${needs("1")} |`;
    }),
    "",
    `What a round would send at ${last.size.toLocaleString("en")} streams, by the price of gas:`,
    "",
    "| gas price | batches | streams | rewards | gas by the model | net |",
    "|---:|---:|---:|---:|---:|---:|",
    ...byPrice.map(({ price, batches, streams: count, rewardWei, costWei }) => {
      const coins = (wei: bigint) => Number(formatAmount(wei)).toFixed(5);
      return `| ${formatGwei(price)} gwei | ${batches} | ${count.toLocaleString("en")} | ${coins(rewardWei)} | ${coins(costWei)} | ${coins(rewardWei - costWei)} |`;
    }),
    "",
    `One real round: ${updated.toLocaleString("en")} streams in ${settled.length} transactions, ${formatAmount(earned)} earned, ${formatAmount(paid)} paid for gas, ${(roundMs / 1000).toFixed(1)} s with blocks mined at once.`,
  ].join("\n");
  console.log(table);
  const here = import.meta.dirname;
  writeFileSync(join(here, "results.json"), `${JSON.stringify(rows, null, 2)}\n`);
  writeFileSync(join(here, "results.md"), `# Results\n\nWritten by \`npm run bench:keeper\`.\n\n${table}\n\n![growth](growth.svg)\n`);
  writeFileSync(
    join(here, "growth.svg"),
    plot({
      title: "Keeper: growth with the number of open streams",
      panels: [
        {
          label: "planning, ms",
          series: [
            { name: "1 in 64 worth it", points: growth.map(({ size, planMs }) => [size, planMs] as const) },
            { name: "all worth it", points: growth.map(({ size, allMs }) => [size, allMs] as const) },
          ],
        },
        { label: "heap, MB", series: [{ name: "streams and process", points: growth.map(({ size, heapMb }) => [size, heapMb] as const) }] },
        {
          label: "gas per stream by batch size",
          series: ["one offer", "many offers", "many payees"].map((name, kind) => ({
            name,
            points: gas.map(({ size, kinds }) => [size, kinds[kind] as number] as const),
          })),
        },
      ],
    }),
  );

  /** Reads the events that are new, as the keeper does. */
  async function catchUp(): Promise<number> {
    const head = await chain.client.getBlockNumber();
    const started = performance.now();
    const done = new AbortController();
    await watchEvents({
      chain,
      fromBlock: 0n,
      known: streams.marks(),
      contracts: ["streamPay"],
      clock: systemClock,
      signal: done.signal,
      logger,
      onEvents: async (events, upTo) => {
        streams.apply(events, upTo);
        if (upTo.number >= head) done.abort();
      },
      onRollback: async (to) => streams.rollback(to),
    });
    return performance.now() - started;
  }

  /** What a round does before it asks the chain about a batch. */
  function plan(now: number, gasPrice: bigint) {
    const share = gasModel.perStream * gasPrice * 1000n;
    const candidates: Candidate[] = [];
    for (const stream of streams.values()) {
      const accrued = accruedAt(stream, now);
      if (accrued <= share) continue;
      const { id, payee, asset, providerId, end } = stream;
      candidates.push({ id, payee, asset, providerId, reward: accrued / 1000n, completes: now >= end });
    }
    return planBatches(candidates, planning(gasPrice));
  }
} finally {
  await local.stop();
}

function planning(gasPrice: bigint): PlanOptions {
  const limits = { maxBatch: 500, maxGas: 13_000_000n, minProfitWei: 0n, maxLossWei: parseEther("0.001") };
  return { gasPrice, gas: gasModel, ...limits, completeAtLoss: false, worth: nativeOnly };
}

function sameOffer(streams: readonly OpenStream[], size: number): bigint[] {
  const byOffer = Map.groupBy(streams, ({ payee, providerId }) => `${payee} ${providerId}`);
  return [...byOffer.values()]
    .sort((a, b) => b.length - a.length)
    .flat()
    .slice(0, size)
    .map(({ id }) => id);
}

function differentOffers(streams: readonly OpenStream[], size: number): bigint[] {
  return [...Map.groupBy(streams, ({ providerId }) => providerId).values()].map(([first]) => (first as OpenStream).id).slice(0, size);
}

function differentPayees(streams: readonly OpenStream[], size: number): bigint[] {
  const native = streams.filter(({ asset }) => asset === zeroAddress);
  return [...Map.groupBy(native, ({ payee }) => payee).values()].map(([first]) => (first as OpenStream).id).slice(0, size);
}

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function heapOf(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((all, amount) => all + amount, 0n);
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
process.exit();
