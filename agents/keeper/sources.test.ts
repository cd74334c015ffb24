import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createIndexerClient, type IndexerAnswer } from "@clawcompute/lib/indexer";
import { createRecordingLogger } from "@clawcompute/lib/testing";
import { parseEther, zeroAddress } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { accruedAt, type OpenStream } from "./openStreams.ts";
import { boundedFetch, chainSource, indexerSource } from "./sources.ts";
import { type KeeperWorld, keeperAccount, payee, startKeeperWorld } from "./testing/keeperWorld.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

type Page = IndexerAnswer<"streams">;
const signal = new AbortController().signal;
const doubtMs = 60_000;

let world: KeeperWorld;
let url: string;
let asked: string[];
let health: (head: number) => unknown;
let answer: (request: URL, response: ServerResponse) => unknown;
let nowMs: number;

/** An indexer that says whatever a test tells it to. */
const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  const at = new URL(request.url ?? "/", "http://127.0.0.1");
  asked.push(at.pathname);
  const head = Number(await world.chain.client.getBlockNumber());
  const body = at.pathname === "/health" ? health(head) : answer(at, response);
  if (body !== undefined) response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
});

beforeAll(async () => {
  world = await startKeeperWorld();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  world.fresh();
  asked = [];
  nowMs = 0;
  health = (block) => healthy(block);
  answer = () => page([]);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await world?.stop();
});

const healthy = (block: number, chainId = world.chain.network.chainId) => ({
  status: "ok",
  role: "writer",
  store: "embedded",
  chainId,
  block,
  at: 0,
  chainBlock: block,
  lagBlocks: 0,
  lagMs: 0,
  rollbacks: 0,
});
const page = (items: unknown[], next: string | null = null) => ({ items, next, block: 1 });

/** A stream as an indexer tells of it. */
function told(stream: Pick<OpenStream, "id"> & Partial<OpenStream>): Page["items"][number] {
  const { id, ratePerSecond = parseEther("1"), lastPaid = 1, end = 4_000_000_000, providerId = 0, asset = zeroAddress } = stream;
  const shown = {
    payer: zeroAddress,
    payee: payee.address.toLowerCase() as `0x${string}`,
    asset,
    start: lastPaid,
    lastPaid,
    end,
    providerId,
  };
  const sums = { deposit: "1", accrued: "1", asOf: 1, paid: "0", rewards: "0", refunded: "0" };
  const rest = { serviceType: 0, status: "active" as const, closedAt: null, closedHow: null, successor: null };
  return { id: String(id), ratePerSecond: String(ratePerSecond), ...shown, ...sums, ...rest };
}

function keeper(patience = 0) {
  const logger = createRecordingLogger();
  const source = indexerSource({
    client: createIndexerClient({ url, fetch: boundedFetch }),
    chain: world.chain,
    assets: [zeroAddress],
    otherwise: chainSource(() => world.streams().values()),
    maxLag: 5,
    patience,
    doubtMs,
    now: () => nowMs,
    logger: logger as never,
  });
  return { ...world.keeperOf({ source }), source, warnings: () => logger.records.filter(({ level }) => level === "warn") };
}

const rich = async () => {
  const id = await world.open(parseEther("10000"), 10_000);
  await world.local.advance(50);
  return [...world.streams().values()].find((stream) => stream.id === id) as OpenStream;
};
const nonce = () => world.nonceOf(keeperAccount.address);

describe("an indexer", () => {
  it("behavior: finds what the chain then confirms; the chain's events are not needed", async () => {
    const stream = await rich();
    answer = () => page([told(stream)]);
    world.fresh();
    const { round, source } = keeper();
    expect(await round(signal)).toMatchObject([{ ids: [stream.id] }]);
    expect([source.name, asked]).toEqual(["indexer", ["/health", "/v1/streams"]]);
  });

  it.each([
    ["accruals that are not there", async () => told({ id: (await rich()).id, ratePerSecond: parseEther("18"), lastPaid: 1 })],
    ["streams that do not exist", async () => told({ id: 10n ** 17n })],
    ["one that would be worth everything", async () => told({ id: 987_654_321n, ratePerSecond: 2n ** 63n })],
  ])("behavior: lies about %s; nothing is sent for it at a loss, it is doubted, and the chain's events take over (P15)", async (_, lie) => {
    const lies = [await lie()];
    answer = () => page([...lies, told({ id: 55_555n }), told({ id: 55_556n })]);
    const stream = await rich();
    const before = await nonce();
    const { round, source, warnings } = keeper();
    const first = await round(signal);
    expect(first.every(({ rewardWei, feeWei }) => rewardWei > feeWei)).toBe(true);
    expect(await nonce()).toBe(before + first.length);
    expect(warnings()).toHaveLength(1);
    await world.local.advance(50);
    asked = [];
    const second = await round(signal);
    expect(second.flatMap(({ ids }) => ids)).toContain(stream.id);
    expect([source.name, asked]).toEqual(["chain", []]);
    nowMs = doubtMs;
    answer = () => page([]);
    expect(await round(signal)).toEqual([]);
    expect([source.name, asked.length]).toEqual(["indexer", 2]);
  });

  it.each<[string, () => void]>([
    [
      "is down",
      () => {
        answer = (_, response) => void response.destroy();
      },
    ],
    [
      "is of another chain",
      () => {
        health = (block) => healthy(block, 1);
      },
    ],
    [
      "is behind",
      () => {
        health = (block) => healthy(block - 6);
      },
    ],
    [
      "answers something else",
      () => {
        answer = () => ({ items: "all of them" });
      },
    ],
    [
      "never ends its answer",
      () => {
        answer = (_, response) => {
          const more = () => {
            while (response.write("x".repeat(65_536)));
          };
          response.writeHead(200).on("drain", more);
          more();
        };
      },
    ],
  ])("behavior: %s: the chain's events find the same", async (_, happen) => {
    happen();
    const stream = await rich();
    const { round, source } = keeper();
    expect(await round(signal)).toMatchObject([{ ids: [stream.id] }]);
    expect(source.name).toBe("chain");
  });

  it("behavior: names what no call can name: the chain's events find the same (P15)", async () => {
    const stream = await rich();
    answer = () => page([told(stream), { ...told(stream), id: "9".repeat(90) }]);
    const { round, source } = keeper();
    expect(await round(signal)).toMatchObject([{ ids: [stream.id] }]);
    expect(source.name).toBe("chain");
  });

  it("behavior: is away for a round or two: nothing is read in its place; for longer: the chain's events are", async () => {
    await rich();
    answer = (_, response) => void response.destroy();
    const { round, source } = keeper(2);
    expect([await round(signal), await round(signal), source.name]).toEqual([[], [], "indexer"]);
    expect(await round(signal)).toHaveLength(1);
    expect(source.name).toBe("chain");
  });

  it("behavior: names absurdly many: a bounded number is looked at, the good one among them is settled (P15)", async () => {
    const stream = await rich();
    let last = 10n ** 16n;
    const next = () => {
      last += 1n;
      return last;
    };
    answer = (at) => {
      const more = Array.from({ length: 499 }, () => told({ id: next(), ratePerSecond: 2n ** 40n }));
      return page(at.searchParams.has("cursor") ? more : [told(stream), ...more], "more");
    };
    const { round } = keeper();
    const before = await nonce();
    const settled = await round(signal);
    expect(settled).toMatchObject([{ ids: [stream.id] }]);
    expect(await nonce()).toBe(before + 1);
    expect(asked.length).toBe(11);
  });

  it("behavior: worthless streams end the reading, so a quiet market costs one page", async () => {
    const stream = await rich();
    answer = () =>
      page([told(stream), ...Array.from({ length: 400 }, (_, index) => told({ id: BigInt(900 + index), ratePerSecond: 1n }))], "more");
    await keeper().round(signal);
    expect(asked).toEqual(["/health", "/v1/streams"]);
    expect(accruedAt(stream, stream.lastPaid + 50)).toBe(parseEther("50"));
  });
});
