import { appendFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamPayAbi } from "@clawcompute/lib/abi";
import { createSender, currentFees, readStream, streamPayWrites } from "@clawcompute/lib/chain";
import { createFakeClock, createRecordingLogger, type FakeClock } from "@clawcompute/lib/testing";
import { type Hash, parseEther } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openRecords, readRecords } from "./records.ts";
import { type KeeperWorld, keeperAccount, payee, startKeeperWorld } from "./testing/keeperWorld.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const signal = new AbortController().signal;
const soon = { timeout: 10_000, interval: 20 };

let world: KeeperWorld;
let folder: string;
beforeAll(async () => {
  world = await startKeeperWorld();
});
beforeEach(() => {
  world.fresh();
  folder = mkdtempSync(join(tmpdir(), "clawcompute-keeper-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => world?.stop());

const pendingFile = () => existsSync(join(folder, "pending.json"));
const nonce = () => world.nonceOf(keeperAccount.address);

/** A sender whose waiting is done by a clock that the test ticks. */
function waitingSender(clock: FakeClock, giveUpAfterMs = 600_000) {
  return createSender({
    chain: world.chain,
    account: keeperAccount,
    logger: createRecordingLogger(),
    clock,
    replaceAfterMs: 1000,
    giveUpAfterMs,
  });
}

/** Lets one wait of the sender pass. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  await vi.waitFor(() => expect(clock.sleepers()).toBe(1), soon);
  await clock.tick(ms);
}

/** Lets waits pass until the work is done. */
async function untilDone<T>(work: Promise<T>, clock: FakeClock): Promise<T> {
  let done = false;
  work.finally(() => {
    done = true;
  });
  await vi.waitFor(async () => {
    await clock.tick(500);
    expect(done).toBe(true);
  }, soon);
  return work;
}

/** What an update of this stream would earn now. */
async function rewardOf(id: bigint): Promise<bigint> {
  const { streamPay } = world.chain.network.contracts;
  const call = { address: streamPay, abi: streamPayAbi, functionName: "previewBatchUpdate", args: [[id]] } as const;
  const [, reward] = await world.chain.client.readContract(call);
  return reward;
}

describe("what is out", () => {
  it("behavior: a batch that an ended process had sent is looked for and booked, and nothing is sent twice", async () => {
    const id = await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    const clock = createFakeClock();
    const before = await nonce();
    const first = world.keeperOf({ sender: waitingSender(clock, 2000), records: openRecords(folder) });
    const ending = first.round(signal).catch((thrown) => thrown);
    for (let waits = 0; waits < 3; waits += 1) await pass(clock, 900);
    expect(await ending).toMatchObject({ code: "TRANSACTION_UNCERTAIN" });
    expect([pendingFile(), await nonce()]).toEqual([true, before + 1]);

    const second = world.keeperOf({ records: openRecords(folder) });
    const resumed = second.round(signal);
    await world.local.mine();
    expect(await resumed).toEqual([]);
    expect([pendingFile(), await nonce()]).toEqual([false, before + 1]);
    const { lastPaid, start, ratePerSecond } = await readStream(world.chain, id);
    const [record] = readRecords(folder);
    expect(record).toMatchObject({ outcome: "updated", updated: 1, nonce: before });
    expect(BigInt(record?.rewardWei ?? 0)).toBe((BigInt(lastPaid - start) * ratePerSecond) / 1000n);
    expect(second.logger.records.map(({ message }) => message)).toContain("an earlier batch is done");
  });

  it("behavior: a stuck batch is offered for more, never for more than it earns, and booked by what was mined (P15)", async () => {
    await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    const clock = createFakeClock();
    const { round, parts } = world.keeperOf({ sender: waitingSender(clock), records: openRecords(folder) });
    const running = round(signal);
    while ((parts.records.pending()?.hashes.length ?? 0) < 3) await pass(clock, 500);
    const hashes = parts.records.pending()?.hashes ?? [];
    await world.local.mine();
    const [settled] = await untilDone(running, clock);
    expect(hashes.indexOf(settled?.hash as Hash)).toBe(2);
    expect(settled?.rewardWei).toBeGreaterThan(settled?.feeWei ?? 0n);
    expect(readRecords(folder)).toMatchObject([{ hash: settled?.hash, outcome: "updated" }]);
  });

  it("behavior: a stuck batch that would lose money at a higher price is not offered for more (P15)", async () => {
    // The plan counts on two streams; of one of them nothing is left when it is sent.
    const [id, gone] = [await world.open(parseEther("10000"), 10_000), await world.open(parseEther("10000"), 10_000)];
    await world.local.advance(50);
    await world.miningSender(payee).send(streamPayWrites.cancelStream(gone));
    const clock = createFakeClock();
    const { feeWei } = await waitingSender(clock).estimate(streamPayWrites.batchUpdateStreams([id]));
    // What may be spent is a tenth above the price of now: a raise of 15 % would be a loss.
    const minProfitWei = (await rewardOf(id)) - (feeWei * 11n) / 10n;
    const { round, parts } = world.keeperOf({ sender: waitingSender(clock), records: openRecords(folder) }, { minProfitWei });
    const running = round(signal);
    for (let waits = 0; waits < 12; waits += 1) await pass(clock, 900);
    const pending = parts.records.pending();
    await world.local.mine();
    const [settled] = await untilDone(running, clock);
    expect(pending?.hashes).toEqual([settled?.hash]);
    expect((settled?.rewardWei ?? 0n) - (settled?.feeWei ?? 0n)).toBeGreaterThanOrEqual(minProfitWei);
  });

  it("behavior: an endpoint that fails between plan and sending costs nothing; the next round does it", async () => {
    const id = await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    const before = await nonce();
    world.proxy.decide(({ method }) => (method === "eth_estimateGas" ? "refuse" : "pass"));
    const sender = world.miningSender(keeperAccount, world.faulty);
    const { round, metrics } = world.keeperOf({ chain: world.faulty, sender, records: openRecords(folder) });
    await expect(round(signal)).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
    expect([await nonce(), pendingFile()]).toEqual([before, false]);
    expect(await metrics.render()).toContain('batches_total{outcome="failed"} 1');
    world.proxy.decide(() => "pass");
    expect(await round(signal)).toMatchObject([{ ids: [id] }]);
  });

  it("behavior: an answer that is lost while sending leaves one transaction, booked once", async () => {
    const id = await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    const before = await nonce();
    world.proxy.decide(({ method }) => (method === "eth_sendRawTransaction" ? "lose-reply" : "pass"));
    const sender = world.miningSender(keeperAccount, world.faulty);
    const { round } = world.keeperOf({ chain: world.faulty, sender, records: openRecords(folder) });
    expect(await round(signal)).toMatchObject([{ ids: [id] }]);
    expect([await nonce(), readRecords(folder).length, pendingFile()]).toEqual([before + 1, 1, false]);
  });

  it("behavior: an estimate that no update can cost is not believed (P15)", async () => {
    const [id, gone] = [await world.open(parseEther("10000"), 10_000), await world.open(parseEther("10000"), 10_000)];
    await world.local.advance(50);
    await world.miningSender(payee).send(streamPayWrites.cancelStream(gone));
    world.proxy.decide(({ method }) => (method === "eth_estimateGas" ? { result: "0x1" } : "pass"));
    const sender = createSender({ chain: world.faulty, account: keeperAccount, logger: createRecordingLogger() });
    const { expected } = await currentFees(world.chain);
    const { round, metrics } = world.keeperOf({ sender }, { minProfitWei: (await rewardOf(id)) - 20_000n * expected });
    expect(await round(signal)).toEqual([]);
    expect(await metrics.render()).toContain('batches_total{outcome="skipped"} 1');
  });
});

describe("caps", () => {
  it("behavior: stops at the cap, also after a restart, and goes on when the hour has passed", async () => {
    await world.open(parseEther("10000"), 10_000);
    const clock = createFakeClock();
    const caps = { gasPerHourWei: 0n, gasPerDayWei: parseEther("1"), lossPerDayWei: parseEther("1") };
    await world.local.advance(50);
    const paid = await world.keeperOf({ clock, records: openRecords(folder) }).round(signal);
    caps.gasPerHourWei = (paid[0]?.feeWei ?? 0n) + 1n;
    await world.local.advance(50);
    const capped = world.keeperOf({ clock, records: openRecords(folder) }, { caps });
    expect(await capped.round(signal)).toEqual([]);
    expect(capped.logger.records.at(-1)).toMatchObject({ level: "warn", fields: { facts: { cap: "gasPerHourWei" } } });
    expect(await capped.metrics.render()).toContain('batches_total{outcome="capped"} 1');
    const restarted = world.keeperOf({ clock, records: openRecords(folder) }, { caps });
    expect(await restarted.round(signal)).toEqual([]);
    await clock.tick(3_600_001);
    caps.gasPerHourWei *= 2n;
    expect(await restarted.round(signal)).toHaveLength(1);
  });

  it("behavior: what completing may lose in a day is capped", async () => {
    const clock = createFakeClock();
    await world.open(6000n, 60, payee.address);
    await world.open(6000n, 60, keeperAccount.address);
    await world.local.advance(100);
    const caps = { gasPerHourWei: parseEther("1"), gasPerDayWei: parseEther("1"), lossPerDayWei: 1n };
    const config = { caps, completeAtLoss: true, maxBatch: 1 };
    expect(await world.keeperOf({ clock, records: openRecords(folder) }, config).round(signal)).toEqual([]);
    caps.lossPerDayWei = parseEther("0.0003");
    const settled = await world.keeperOf({ clock, records: openRecords(folder) }, config).round(signal);
    const lost = settled.reduce((sum, { feeWei, rewardWei }) => sum + feeWei - rewardWei, 0n);
    expect(settled.length).toBeGreaterThan(0);
    expect(lost).toBeLessThanOrEqual(caps.lossPerDayWei);
  });

  it("behavior: a line that a crash cut off is left out; a broken one in between is not guessed at", () => {
    const record = { atMs: 1, keeper: keeperAccount.address, nonce: 1, purpose: "profit", outcome: "updated", block: "1" } as const;
    const sums = { updated: 1, completed: 0, rewardWei: "5", worthWei: "5", tokens: {}, gasUsed: "1", feeWei: "2" };
    const hash = (digit: string) => `0x${digit.repeat(64)}` as Hash;
    openRecords(folder).add({ ...record, ...sums, hash: hash("1") });
    appendFileSync(join(folder, "batches.jsonl"), '{"atMs":2,"kee');
    const again = openRecords(folder);
    again.add({ ...record, ...sums, hash: hash("2") });
    again.add({ ...record, ...sums, hash: hash("2") });
    expect(again.spent(0)).toEqual({ feeWei: 4n, lossWei: 0n });
    expect(() => readRecords(folder)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: "KEEPER_DATA_DIR" }));
  });
});
