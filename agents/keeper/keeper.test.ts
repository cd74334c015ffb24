import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectChain, createdStreamId, createSender, readStream, streamPayWrites } from "@clawcompute/lib/chain";
import { createLogger } from "@clawcompute/lib/node";
import { createRecordingLogger, startLocalChain } from "@clawcompute/lib/testing";
import { parseEther, toFunctionSelector, toHex, zeroAddress } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "./main.ts";
import { type KeeperWorld, keeperAccount, otherKeeper, payee, payer, startKeeperWorld } from "./testing/keeperWorld.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const batchSelector = toFunctionSelector("batchUpdateStreams(uint256[])");
const signal = new AbortController().signal;

let world: KeeperWorld;
beforeAll(async () => {
  world = await startKeeperWorld();
});
beforeEach(() => world.fresh());
afterAll(() => world?.stop());

describe("createKeeper", () => {
  it("behavior: settles what pays, leaves dust, and its wallet grows by exactly reward - gas", async () => {
    const [rich, dust] = [await world.open(parseEther("100"), 100), await world.open(6000n, 60)];
    await world.local.advance(50);
    const [dustBefore, creditBefore, balanceBefore] = [
      await readStream(world.chain, dust),
      await world.credit(payee.address),
      await world.chain.client.getBalance({ address: keeperAccount.address }),
    ];
    const { round, metrics } = world.keeperOf();
    const settled = await round(signal);
    expect(settled).toMatchObject([{ ids: [rich], completed: 0 }]);
    const { rewardWei = 0n, feeWei = 0n } = settled[0] ?? {};
    const after = await readStream(world.chain, rich);
    const accrued = BigInt(after.lastPaid - after.start) * after.ratePerSecond;
    expect(rewardWei).toBe(accrued / 1000n);
    expect(rewardWei).toBeGreaterThan(feeWei);
    expect((await world.credit(payee.address)) - creditBefore).toBe(accrued - rewardWei);
    expect((await world.chain.client.getBalance({ address: keeperAccount.address })) - balanceBefore).toBe(rewardWei - feeWei);
    expect(await readStream(world.chain, dust)).toEqual(dustBefore);
    expect(await metrics.render()).toContain('clawcompute_keeper_batches_total{outcome="profit"} 1');
    expect(await round(signal)).toEqual([]);
  });

  it("behavior: hostile, gone and unknown ids do not stop the others", async () => {
    // The registry takes no coins; a payee like it cannot block, because payees are credited.
    const hostile = await world.open(parseEther("100"), 100, world.chain.network.contracts.registry);
    const gone = await world.open(parseEther("100"), 100);
    const good = await world.open(parseEther("100"), 100);
    await world.miningSender(payer).send(streamPayWrites.cancelStream(gone));
    const last = world.streams().marks().at(-1) as { number: bigint; hash: `0x${string}` };
    const args = {
      id: 999_999n,
      payee: payee.address,
      asset: zeroAddress,
      providerId: 0n,
      ratePerSecond: 10n ** 18n,
      start: 1n,
      end: 4_000_000_000n,
    };
    const invented = {
      contract: "streamPay",
      name: "StreamCreated",
      args,
      blockNumber: last.number,
      blockHash: last.hash,
      logIndex: 9,
      transactionHash: last.hash,
    } as const;
    world.streams().apply([invented], last);
    await world.local.advance(50);
    const settled = await world.keeperOf().round(signal);
    expect(settled.length).toBe(1);
    expect(new Set(settled[0]?.ids)).toEqual(new Set([hostile, good]));
    expect(await world.credit(world.chain.network.contracts.registry)).toBeGreaterThan(parseEther("45"));
  });

  it("behavior: a batch that is refused in simulation is halved until the culprit is alone", async () => {
    const ids = [
      await world.open(parseEther("100"), 100),
      await world.open(parseEther("100"), 100),
      await world.open(parseEther("100"), 100),
    ];
    await world.local.advance(50);
    const bad = (ids[1] as bigint).toString(16).padStart(64, "0");
    world.proxy.decide(({ method, params }) => {
      const { data = "", input = data } = (params[0] ?? {}) as { data?: string; input?: string };
      const refuses =
        (method === "eth_estimateGas" || method === "eth_call") && input.startsWith(batchSelector) && input.slice(138).includes(bad);
      return refuses ? { error: { code: 3, message: "execution reverted", data: "0xdeadbeef" } } : "pass";
    });
    const { round, logger } = world.keeperOf({ sender: world.miningSender(keeperAccount, world.faulty) });
    const settled = await round(signal);
    expect(settled.flatMap(({ ids }) => ids).sort()).toEqual([ids[0], ids[2]].sort());
    expect(logger.records.filter(({ level }) => level === "warn").at(-1)?.fields.ids).toEqual([String(ids[1])]);
  });

  it("behavior: sends nothing when the simulation shows no profit, whatever the plan hoped for", async () => {
    await world.open(parseEther("100"), 100);
    await world.local.advance(50);
    world.proxy.decide(({ method }) => (method === "eth_estimateGas" ? { result: toHex(250_000_000) } : "pass"));
    const before = await world.chain.client.getTransactionCount({ address: keeperAccount.address });
    const { round, metrics } = world.keeperOf({ sender: world.miningSender(keeperAccount, world.faulty) });
    expect(await round(signal)).toEqual([]);
    expect(await world.chain.client.getTransactionCount({ address: keeperAccount.address, blockTag: "pending" })).toBe(before);
    expect(await metrics.render()).toContain('batches_total{outcome="skipped"} 1');
  });

  it("behavior: ended dust is completed only when asked to, and never beyond the loss allowed", async () => {
    const dust = await world.open(6000n, 60);
    await world.local.advance(100);
    expect(await world.keeperOf().round(signal)).toEqual([]);
    expect(await world.keeperOf({}, { completeAtLoss: true, maxLossWei: 1000n }).round(signal)).toEqual([]);
    expect(await world.keeperOf({}, { completeAtLoss: true }).round(signal)).toMatchObject([{ ids: [dust], completed: 1 }]);
    expect(await readStream(world.chain, dust)).toMatchObject({ status: "closed" });
    expect(await world.keeperOf({}, { completeAtLoss: true }).round(signal)).toEqual([]);
  });

  it("behavior: at most maxBatch ids in a transaction", async () => {
    for (let opened = 0; opened < 5; opened += 1) await world.open(parseEther("100"), 100);
    await world.local.advance(50);
    const settled = await world.keeperOf({}, { maxBatch: 2 }).round(signal);
    expect(settled.map(({ ids }) => ids.length)).toEqual([2, 2, 1]);
  });
});

describe("main", () => {
  it("behavior: finds streams by itself, settles them, serves metrics, and goes on where it stopped", async () => {
    const running = await startLocalChain({ blockTimeMs: 100 });
    const folder = mkdtempSync(join(tmpdir(), "clawcompute-keeper-"));
    try {
      const here = connectChain(running.network);
      const sender = createSender({ chain: here, account: otherKeeper, logger: createRecordingLogger() });
      const openHere = (value: bigint) =>
        sender.send(
          streamPayWrites.createStream({ recipient: payee.address, durationSeconds: 1000, serviceType: 0, providerId: 0, value }),
        );
      const rich = createdStreamId((await openHere(parseEther("1000"))).receipt);
      await openHere(6000n);
      await running.advance(500);
      const env = {
        NETWORK: "local",
        RPC_URL: running.rpcUrl,
        KEEPER_EVERY_SECONDS: "1",
        KEEPER_DATA_DIR: folder,
        KEEPER_METRICS_PORT: "0",
      };

      const first = startMain(env);
      const { url } = await first.logged("metrics and health");
      expect(await first.logged("streams updated")).toMatchObject({ purpose: "profit", updated: 1, completed: 0 });
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect(await (await fetch(`${url}/metrics`)).text()).toContain('clawcompute_keeper_batches_total{outcome="profit"} 1');
      expect(await first.stop()).toBe(0);
      const stream = await readStream(here, rich);
      expect(stream.lastPaid).toBeGreaterThan(stream.start);
      expect(JSON.parse(readFileSync(join(folder, "streams.json"), "utf8")).streams.length).toBe(2);

      const second = startMain(env);
      expect(await second.logged("following the streams")).toMatchObject({ known: 2 });
      await running.advance(400);
      expect(await second.logged("streams updated")).toMatchObject({ updated: 1 });
      expect(await second.stop()).toBe(0);
    } finally {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("error: refuses to start on a wrong chain or where its records cannot be read", async () => {
    const context = { signal, logger: createLogger({ name: "keeper", level: "silent" }) };
    await expect(main({}, { ...context, env: { RPC_URL: "http://127.0.0.1:9" } })).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
    const env = { RPC_URL: world.local.rpcUrl, KEEPER_DATA_DIR: new URL(import.meta.url).pathname };
    await expect(main({}, { ...context, env })).rejects.toMatchObject({ code: "CONFIG_INVALID", param: "KEEPER_DATA_DIR" });
  });
});

/** Runs main in this process; its log lines can be waited for. */
function startMain(env: Record<string, string>) {
  const controller = new AbortController();
  const lines: Record<string, unknown>[] = [];
  const waiting: { message: string; resolve: (line: Record<string, unknown>) => void }[] = [];
  const write = (text: string) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    for (const waiter of waiting) if (waiter.message === line.msg) waiter.resolve(line);
  };
  const code = main({}, { env, signal: controller.signal, logger: createLogger({ name: "keeper", destination: { write } }) });
  return {
    logged: (message: string) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        const line = lines.find(({ msg }) => msg === message);
        if (line) resolve(line);
        waiting.push({ message, resolve });
        code.catch(reject);
      }),
    stop: () => {
      controller.abort();
      return code;
    },
  };
}
