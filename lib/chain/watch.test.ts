import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createRecordingLogger, devAccounts, type LocalChain, type RpcProxy, startLocalChain, startRpcProxy } from "../testing/index.ts";
import { type Chain, connectChain } from "./connect.ts";
import { browserClock } from "./ports.ts";
import { createSender } from "./sender.ts";
import { type ChainEvent, type WatchedTo, type WatchOptions, watchEvents } from "./watch.ts";
import { registryWrites } from "./writes.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

type Account = (typeof devAccounts)[number];
const [, owner] = devAccounts as [Account, Account];

let local: LocalChain;
let proxy: RpcProxy;
let chain: Chain;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  proxy = await startRpcProxy(local.rpcUrl);
  chain = connectChain({ ...local.network, blockTimeMs: 100 });
});
afterEach(async () => {
  proxy.decide(() => "pass");
  for (const stop of stops.splice(0)) await stop();
});
afterAll(async () => {
  await proxy?.stop();
  await local?.stop();
});

/** Registers providers, one block each; returns their models. */
async function registerBlocks(count: number): Promise<string[]> {
  const sender = createSender({ chain, account: owner, logger: createRecordingLogger() });
  const models: string[] = [];
  for (let done = 0; done < count; done += 1) {
    const model = `watched-${models.length}-${await chain.client.getBlockNumber()}`;
    const call = registryWrites.registerProvider({ model, pricePerSecond: 1n, endpoint: "http://127.0.0.1:1/", serviceType: 0 });
    await sender.send(call, { onSent: () => void local.mine() });
    models.push(model);
  }
  return models;
}

/** A follower that keeps its own copy of the chain's events, as an indexer does, and can be waited for. */
function follow(options: Partial<WatchOptions> & { chain: Chain; fromBlock: bigint }) {
  const controller = new AbortController();
  const events: ChainEvent[] = [];
  const rollbacks: bigint[] = [];
  const waiting: { until: () => boolean; resolve: () => void }[] = [];
  const logger = createRecordingLogger();
  let upTo: WatchedTo | undefined;
  const check = () => {
    for (const waiter of waiting.filter(({ until }) => until())) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
  };
  const done = watchEvents({
    pollMs: 20,
    clock: browserClock,
    signal: controller.signal,
    logger,
    onEvents: async (more, to) => {
      events.push(...more);
      upTo = to;
      check();
    },
    onRollback: async (toBlock) => {
      rollbacks.push(toBlock);
      events.splice(0, events.length, ...events.filter(({ blockNumber }) => blockNumber <= toBlock));
      check();
    },
    ...options,
  });
  const stop = async () => {
    controller.abort();
    await done;
  };
  stops.push(stop);
  return {
    events,
    rollbacks,
    logger,
    stop,
    upTo: () => upTo,
    models: () => events.filter(({ name }) => name === "ProviderRegistered").map(({ args }) => args.model),
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        waiting.push({ until: condition, resolve });
        check();
      }),
  };
}

const headOf = async () => chain.client.getBlockNumber();

describe("watchEvents", () => {
  it("behavior: reads everything from the first block on, in order, then what comes", async () => {
    await registerBlocks(3);
    await local.request("anvil_mine", ["0xc8"]);
    const models = await registerBlocks(2);
    const head = await headOf();
    const watched = follow({ chain, fromBlock: 0n });
    await watched.until(() => watched.upTo()?.number === head);
    expect(watched.models().length).toBe(5);
    expect(watched.models().slice(3)).toEqual(models);
    const last = watched.events.at(-1);
    const block = await chain.client.getBlock();
    expect(last).toMatchObject({
      contract: "registry",
      blockNumber: head,
      blockHash: block.hash,
      timestamp: Number(block.timestamp),
      args: { owner: owner.address },
    });
    expect(watched.upTo()).toEqual({ number: head, hash: block.hash, timestampMs: Number(block.timestamp) * 1000 });
    const more = await registerBlocks(1);
    await watched.until(() => watched.models().length === 6);
    expect(watched.models().at(-1)).toBe(more[0]);
    expect(watched.rollbacks).toEqual([]);
  });

  it("behavior: a range that the endpoint finds too large is made smaller", async () => {
    const ranges: bigint[] = [];
    proxy.decide(({ method, params }) => {
      const filter = params[0] as { fromBlock?: string; toBlock?: string };
      if (method !== "eth_getLogs" || filter.fromBlock === undefined) return "pass";
      const size = BigInt(filter.toBlock as string) - BigInt(filter.fromBlock) + 1n;
      ranges.push(size);
      return size > 40n ? { error: { code: -32602, message: "query exceeds max block range 40" } } : "pass";
    });
    const watched = follow({ chain: connectChain({ ...chain.network, rpcUrls: [proxy.url] }), fromBlock: 0n, depth: 8 });
    const head = await headOf();
    await watched.until(() => watched.upTo()?.number === head);
    expect(watched.models().length).toBe(6);
    expect(ranges.filter((size) => size <= 40n).length).toBeGreaterThan(2);
    const refused = ranges.filter((size) => size > 40n);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused).size).toBe(refused.length);
  });

  it("behavior: a reorganisation is rolled back to the common ancestor, and the new branch is read", async () => {
    const watched = follow({ chain, fromBlock: 0n });
    await registerBlocks(4);
    const before = await headOf();
    await watched.until(() => watched.upTo()?.number === before);
    expect(watched.models().length).toBe(10);
    const old = watched.upTo()?.hash;
    await local.request("anvil_reorg", [3, []]);
    await local.mine();
    await watched.until(() => watched.rollbacks.length > 0 && (watched.upTo()?.number ?? 0n) > before);
    expect(watched.rollbacks).toEqual([before - 3n]);
    expect(watched.models().length).toBe(7);
    expect((await chain.client.getBlock({ blockNumber: before })).hash).not.toBe(old);
    const [again] = await registerBlocks(1);
    await watched.until(() => watched.models().length === 8);
    expect(watched.models().at(-1)).toBe(again);
  });

  it("behavior: a reorganisation of the same height is noticed without a new block", async () => {
    const watched = follow({ chain, fromBlock: 0n });
    await registerBlocks(1);
    const head = await headOf();
    await watched.until(() => watched.upTo()?.number === head);
    const known = watched.models().length;
    await local.request("anvil_reorg", [1, []]);
    await watched.until(() => watched.rollbacks.length > 0 && watched.upTo()?.number === head);
    expect(watched.models().length).toBe(known - 1);
  });

  it("behavior: a reorganisation while it was away is noticed by the blocks it knew", async () => {
    await registerBlocks(2);
    const number = await headOf();
    const blocks = await Promise.all([number - 2n, number - 1n, number].map((blockNumber) => chain.client.getBlock({ blockNumber })));
    const known = blocks.map((block) => ({ number: block.number, hash: block.hash }));
    await local.request("anvil_reorg", [2, []]);
    await local.mine();
    const watched = follow({ chain, fromBlock: 0n, known });
    const head = await headOf();
    await watched.until(() => watched.upTo()?.number === head);
    expect(watched.rollbacks).toEqual([number - 2n]);
  });

  it("behavior: what happened while the connection was down is read afterwards", async () => {
    let down = false;
    let refused = 0;
    let enough = () => {};
    const seen = new Promise<void>((resolve) => {
      enough = resolve;
    });
    proxy.decide(() => {
      if (!down) return "pass";
      refused += 1;
      if (refused > 6) enough();
      return "refuse";
    });
    const watched = follow({ chain: connectChain({ ...chain.network, rpcUrls: [proxy.url] }), fromBlock: 0n });
    const before = await headOf();
    await watched.until(() => watched.upTo()?.number === before);
    const known = watched.models().length;
    down = true;
    const models = await registerBlocks(3);
    await seen;
    down = false;
    await watched.until(() => watched.models().length === known + 3);
    expect(watched.models().slice(-3)).toEqual(models);
    expect(watched.rollbacks).toEqual([]);
    expect(watched.logger.records.filter(({ level }) => level === "error")).toEqual([]);
    expect(watched.logger.records.some(({ level, fields }) => level === "warn" && fields.code === "CHAIN_UNAVAILABLE")).toBe(true);
  });

  it("behavior: when the listener fails, the same events come again, once", async () => {
    const [model] = await registerBlocks(1);
    const from = await headOf();
    const seen: unknown[] = [];
    let failed = false;
    const watched = follow({
      chain,
      fromBlock: from,
      onEvents: async (events) => {
        if (!failed) {
          failed = true;
          throw new Error("disk full");
        }
        seen.push(...events.map(({ args }) => args.model));
        arrived();
      },
    });
    let arrived = () => {};
    await new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await watched.stop();
    expect(seen).toEqual([model]);
  });

  it("behavior: with a WebSocket it does not wait for the next look", async () => {
    const watched = follow({ chain: connectChain({ ...chain.network, wsUrl: local.wsUrl }), fromBlock: 0n, pollMs: 3_600_000 });
    const head = await headOf();
    await watched.until(() => watched.upTo()?.number === head);
    for (let round = 0; round < 3; round += 1) {
      const known = watched.models().length;
      const [model] = await registerBlocks(1);
      await watched.until(() => watched.models().length === known + 1);
      expect(watched.models().at(-1)).toBe(model);
    }
  });

  it("behavior: an abort ends it", async () => {
    const watched = follow({ chain, fromBlock: 0n });
    await watched.until(() => watched.upTo() !== undefined);
    await watched.stop();
  });
});

describe("watchEvents with two endpoints", () => {
  /** The first endpoint is the real chain through a line that can be cut; the second one is what the test makes of it. */
  async function withSecond(second: RpcProxy) {
    const both = connectChain({ ...chain.network, rpcUrls: [proxy.url, second.url] });
    const watched = follow({ chain: both, fromBlock: 0n });
    const head = await headOf();
    await watched.until(() => watched.upTo()?.number === head);
    return watched;
  }

  it("behavior: one that lags rolls nothing back and hides nothing", async () => {
    const second = await startRpcProxy(local.rpcUrl);
    stops.push(second.stop);
    const watched = await withSecond(second);
    const frozen = await chain.client.request({ method: "eth_getBlockByNumber", params: ["latest", false] });
    const behind = BigInt(frozen?.number ?? 0);
    let asked = 0;
    let enough = () => {};
    const seen = new Promise<void>((resolve) => {
      enough = resolve;
    });
    second.decide(({ method, params }) => {
      asked += 1;
      if (asked > 6) enough();
      if (method === "eth_getBlockByNumber" && (params[0] === "latest" || BigInt(params[0] as string) > behind))
        return { result: params[0] === "latest" ? frozen : null };
      if (method === "eth_getLogs" && (params[0] as { blockHash?: string }).blockHash === undefined) return { result: [] };
      return "pass";
    });
    const known = watched.models().length;
    const models = await registerBlocks(2);
    await watched.until(() => watched.models().length === known + 2);
    proxy.decide(() => "refuse");
    await seen;
    expect(watched.rollbacks).toEqual([]);
    const later = await registerBlocks(1);
    proxy.decide(() => "pass");
    await watched.until(() => watched.models().length === known + 3);
    expect(watched.models().slice(-3)).toEqual([...models, ...later]);
    expect(watched.rollbacks).toEqual([]);
  });

  it("behavior: one that tells another history is not believed while the other one contradicts it", async () => {
    const second = await startRpcProxy(local.rpcUrl);
    stops.push(second.stop);
    const watched = await withSecond(second);
    let lies = 0;
    let enough = () => {};
    const seen = new Promise<void>((resolve) => {
      enough = resolve;
    });
    // The second endpoint claims that the last three blocks are others, and a fourth follows them.
    const head = await headOf();
    second.decide(async ({ method, params }, answer) => {
      if (method !== "eth_getBlockByNumber") return "pass";
      const asked = params[0] === "latest" ? head + 1n : BigInt(params[0] as string);
      if (asked < head - 2n) return "pass";
      const real = (asked > head ? frozen : await answer()) as Record<string, unknown>;
      lies += 1;
      if (lies > 12) enough();
      const lie = (number: bigint) => `0x${number.toString(16).padStart(64, "f")}`;
      return { result: { ...real, number: `0x${asked.toString(16)}`, hash: lie(asked), parentHash: lie(asked - 1n) } };
    });
    const frozen = await chain.client.request({ method: "eth_getBlockByNumber", params: ["latest", false] });
    // The first one answers everything but the question for the newest block and the next one.
    proxy.decide(({ method, params }) => {
      const beyond = method === "eth_getBlockByNumber" && (params[0] === "latest" || BigInt(params[0] as string) > head);
      return beyond ? "refuse" : "pass";
    });
    await seen;
    expect(watched.rollbacks).toEqual([]);
    proxy.decide(() => "pass");
    const known = watched.models().length;
    const [model] = await registerBlocks(1);
    await watched.until(() => watched.models().length === known + 1);
    expect(watched.models().at(-1)).toBe(model);
    expect(watched.rollbacks).toEqual([]);
    expect(watched.logger.records.some(({ fields }) => fields.code === "CHAIN_STALE")).toBe(true);
  });

  it("behavior: another chain at the same address starts over", async () => {
    const first = await startLocalChain({ blockTimeMs: 0 });
    const line = await startRpcProxy(local.rpcUrl);
    stops.push(line.stop, first.stop);
    const watched = follow({ chain: connectChain({ ...chain.network, rpcUrls: [line.url] }), fromBlock: 0n });
    const head = await headOf();
    await watched.until(() => watched.upTo()?.number === head);
    expect(watched.models().length).toBeGreaterThan(0);
    line.decide(async (request) => {
      const answer = await fetch(first.rpcUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
      return { result: ((await answer.json()) as { result: unknown }).result };
    });
    await watched.until(() => watched.rollbacks.length > 0 && watched.upTo()?.number === 1n);
    expect(watched.rollbacks).toEqual([-1n]);
    expect(watched.events).toEqual([]);
  });
});
