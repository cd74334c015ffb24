import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, connectChain, createdStreamId, createSender, readStream, type Sender, streamPayWrites } from "@clawcompute/lib/chain";
import { createLogger, createMetrics } from "@clawcompute/lib/node";
import {
  createRecordingLogger,
  devAccounts,
  type LocalChain,
  type RpcProxy,
  startLocalChain,
  startRpcProxy,
} from "@clawcompute/lib/testing";
import { type Address, parseEther, toFunctionSelector, toHex, zeroAddress } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createKeeper, type KeeperParts } from "./keeper.ts";
import { main } from "./main.ts";
import { createOpenStreams, type OpenStreams } from "./openStreams.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

type Account = (typeof devAccounts)[number];
const [, payee, payer, , keeperAccount, other] = devAccounts as [Account, Account, Account, Account, Account, Account];
const batchSelector = toFunctionSelector("batchUpdateStreams(uint256[])");
const signal = new AbortController().signal;

let local: LocalChain;
let proxy: RpcProxy;
let chain: Chain;
let faulty: Chain;
let streams: OpenStreams;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  proxy = await startRpcProxy(local.rpcUrl);
  chain = connectChain({ ...local.network, blockTimeMs: 100 });
  faulty = connectChain({ ...chain.network, rpcUrls: [proxy.url] });
});
beforeEach(() => {
  streams = createOpenStreams();
  proxy.decide(() => "pass");
});
afterAll(async () => {
  await proxy?.stop();
  await local?.stop();
});

/** A sender whose transactions are mined as soon as they are out. */
function miningSender(account: Account, on: Chain = chain): Sender {
  const sender = createSender({ chain: on, account, logger: createRecordingLogger() });
  return { ...sender, send: (call, options) => sender.send(call, { ...options, onSent: () => void local.mine() }) };
}

/** Opens a stream and tells the keeper's list of it, as the watcher would. */
async function open(value: bigint, durationSeconds: number, recipient: Address = payee.address): Promise<bigint> {
  const sent = await miningSender(payer).send(
    streamPayWrites.createStream({ recipient, durationSeconds, serviceType: 0, providerId: 0, value }),
  );
  const id = createdStreamId(sent.receipt);
  const { end } = await readStream(chain, id);
  const shared = { contract: "streamPay", blockHash: sent.receipt.blockHash, logIndex: 0, transactionHash: sent.hash } as const;
  const args = { id, payee: recipient, asset: zeroAddress, providerId: 0n, end: BigInt(end) };
  streams.apply([{ ...shared, name: "StreamCreated", args, blockNumber: sent.blockNumber }], {
    number: sent.blockNumber,
    hash: sent.receipt.blockHash,
  });
  return id;
}

function keeperOf(parts: Partial<KeeperParts> = {}, config: Partial<KeeperParts["config"]> = {}) {
  const logger = createRecordingLogger();
  const metrics = createMetrics("keeper", false);
  const round = createKeeper({
    chain,
    sender: miningSender(keeperAccount),
    streams,
    logger: logger as never,
    metrics,
    config: { maxBatch: 100, minProfitWei: 0n, completeAtLoss: false, maxLossWei: parseEther("0.01"), ...config },
    ...parts,
  });
  return { round, logger, metrics };
}

const credit = (account: Address) =>
  chain.client.readContract({
    address: chain.network.contracts.streamPay,
    abi: streamPayAbi,
    functionName: "creditOf",
    args: [account, zeroAddress],
  });

describe("createKeeper", () => {
  it("behavior: settles what pays, leaves dust, and its wallet grows by exactly reward - gas", async () => {
    const [rich, dust] = [await open(parseEther("100"), 100), await open(6000n, 60)];
    await local.advance(50);
    const [dustBefore, creditBefore, balanceBefore] = [
      await readStream(chain, dust),
      await credit(payee.address),
      await chain.client.getBalance({ address: keeperAccount.address }),
    ];
    const { round, metrics } = keeperOf();
    const settled = await round(signal);
    expect(settled).toMatchObject([{ ids: [rich], completed: 0 }]);
    const { rewardWei = 0n, feeWei = 0n } = settled[0] ?? {};
    const after = await readStream(chain, rich);
    const accrued = BigInt(after.lastPaid - after.start) * after.ratePerSecond;
    expect(rewardWei).toBe(accrued / 1000n);
    expect(rewardWei).toBeGreaterThan(feeWei);
    expect((await credit(payee.address)) - creditBefore).toBe(accrued - rewardWei);
    expect((await chain.client.getBalance({ address: keeperAccount.address })) - balanceBefore).toBe(rewardWei - feeWei);
    expect(await readStream(chain, dust)).toEqual(dustBefore);
    expect(await metrics.render()).toContain('clawcompute_keeper_batches_total{outcome="profit"} 1');
    expect(await round(signal)).toEqual([]);
  });

  it("behavior: hostile, gone and unknown ids do not stop the others", async () => {
    // The registry takes no coins; a payee like it cannot block, because payees are credited.
    const hostile = await open(parseEther("100"), 100, chain.network.contracts.registry);
    const gone = await open(parseEther("100"), 100);
    const good = await open(parseEther("100"), 100);
    await miningSender(payer).send(streamPayWrites.cancelStream(gone));
    const last = streams.marks().at(-1) as { number: bigint; hash: `0x${string}` };
    const args = { id: 999_999n, payee: payee.address, asset: zeroAddress, providerId: 0n, end: 4_000_000_000n };
    const invented = {
      contract: "streamPay",
      name: "StreamCreated",
      args,
      blockNumber: last.number,
      blockHash: last.hash,
      logIndex: 9,
      transactionHash: last.hash,
    } as const;
    streams.apply([invented], last);
    await local.advance(50);
    const settled = await keeperOf().round(signal);
    expect(settled.length).toBe(1);
    expect(new Set(settled[0]?.ids)).toEqual(new Set([hostile, good]));
    expect(await credit(chain.network.contracts.registry)).toBeGreaterThan(parseEther("45"));
  });

  it("behavior: a batch that is refused in simulation is halved until the culprit is alone", async () => {
    const ids = [await open(parseEther("100"), 100), await open(parseEther("100"), 100), await open(parseEther("100"), 100)];
    await local.advance(50);
    const bad = (ids[1] as bigint).toString(16).padStart(64, "0");
    proxy.decide(({ method, params }) => {
      const { data = "", input = data } = (params[0] ?? {}) as { data?: string; input?: string };
      const refuses =
        (method === "eth_estimateGas" || method === "eth_call") && input.startsWith(batchSelector) && input.slice(138).includes(bad);
      return refuses ? { error: { code: 3, message: "execution reverted", data: "0xdeadbeef" } } : "pass";
    });
    const { round, logger } = keeperOf({ sender: miningSender(keeperAccount, faulty) });
    const settled = await round(signal);
    expect(settled.flatMap(({ ids }) => ids).sort()).toEqual([ids[0], ids[2]].sort());
    expect(logger.records.filter(({ level }) => level === "warn").at(-1)?.fields.ids).toEqual([String(ids[1])]);
  });

  it("behavior: sends nothing when the simulation shows no profit, whatever the plan hoped for", async () => {
    await open(parseEther("100"), 100);
    await local.advance(50);
    proxy.decide(({ method }) => (method === "eth_estimateGas" ? { result: toHex(250_000_000) } : "pass"));
    const before = await chain.client.getTransactionCount({ address: keeperAccount.address });
    const { round, metrics } = keeperOf({ sender: miningSender(keeperAccount, faulty) });
    expect(await round(signal)).toEqual([]);
    expect(await chain.client.getTransactionCount({ address: keeperAccount.address, blockTag: "pending" })).toBe(before);
    expect(await metrics.render()).toContain('batches_total{outcome="skipped"} 1');
  });

  it("behavior: ended dust is completed only when asked to, and never beyond the loss allowed", async () => {
    const dust = await open(6000n, 60);
    await local.advance(100);
    expect(await keeperOf().round(signal)).toEqual([]);
    expect(await keeperOf({}, { completeAtLoss: true, maxLossWei: 1000n }).round(signal)).toEqual([]);
    expect(await keeperOf({}, { completeAtLoss: true }).round(signal)).toMatchObject([{ ids: [dust], completed: 1 }]);
    expect(await readStream(chain, dust)).toMatchObject({ status: "closed" });
    expect(await keeperOf({}, { completeAtLoss: true }).round(signal)).toEqual([]);
    expect(streams.list()).toEqual([]);
  });

  it("behavior: at most maxBatch ids in a transaction", async () => {
    for (let opened = 0; opened < 5; opened += 1) await open(parseEther("100"), 100);
    await local.advance(50);
    const settled = await keeperOf({}, { maxBatch: 2 }).round(signal);
    expect(settled.map(({ ids }) => ids.length)).toEqual([2, 2, 1]);
  });
});

describe("main", () => {
  it("behavior: finds streams by itself, settles them, serves metrics, and goes on where it stopped", async () => {
    const running = await startLocalChain({ blockTimeMs: 100 });
    const folder = mkdtempSync(join(tmpdir(), "clawcompute-keeper-"));
    try {
      const here = connectChain(running.network);
      const sender = createSender({ chain: here, account: other, logger: createRecordingLogger() });
      const openHere = (value: bigint) =>
        sender.send(
          streamPayWrites.createStream({ recipient: payee.address, durationSeconds: 1000, serviceType: 0, providerId: 0, value }),
        );
      const rich = createdStreamId((await openHere(parseEther("1000"))).receipt);
      await openHere(6000n);
      await running.advance(500);
      const state = join(folder, "keeper.json");
      const env = {
        NETWORK: "local",
        RPC_URL: running.rpcUrl,
        KEEPER_EVERY_SECONDS: "1",
        KEEPER_STATE_FILE: state,
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
      expect(JSON.parse(readFileSync(state, "utf8")).streams.length).toBe(2);

      const second = startMain(env);
      expect(await second.logged("keeper started")).toMatchObject({ known: 2 });
      await running.advance(400);
      expect(await second.logged("streams updated")).toMatchObject({ updated: 1 });
      expect(await second.stop()).toBe(0);
    } finally {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("error: refuses to start on a wrong chain or with a wrong state file", async () => {
    const context = { signal, logger: createLogger({ name: "keeper", level: "silent" }) };
    await expect(main({}, { ...context, env: { RPC_URL: "http://127.0.0.1:9" } })).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
    const env = { RPC_URL: local.rpcUrl, KEEPER_STATE_FILE: new URL(import.meta.url).pathname };
    await expect(main({}, { ...context, env })).rejects.toMatchObject({ code: "CONFIG_INVALID", param: "KEEPER_STATE_FILE" });
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
