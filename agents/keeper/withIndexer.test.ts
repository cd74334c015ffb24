import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createdStreamId, readStream, streamPayWrites } from "@clawcompute/lib/chain";
import { createIndexerClient, type IndexerAnswer } from "@clawcompute/lib/indexer";
import { createMetrics, systemClock } from "@clawcompute/lib/node";
import { createRecordingLogger, devAccounts, readArtifact } from "@clawcompute/lib/testing";
import { type Abi, type Address, type LocalAccount, parseEther, zeroAddress } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../indexer/config.ts";
import { type RunningIndexer, runIndexer } from "../indexer/indexer.ts";
import { deployToken } from "../provider/testing/token.ts";
import { type Followed, followStreams } from "./followStreams.ts";
import { boundedFetch, chainSource, indexerSource, type Source } from "./sources.ts";
import { type KeeperWorld, keeperAccount, payee, payer, startKeeperWorld } from "./testing/keeperWorld.ts";
import { worthOf } from "./worth.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

type Told = IndexerAnswer<"streams">["items"];

const signal = new AbortController().signal;
const ends = new AbortController();
const coin = parseEther("1");
const logger = createRecordingLogger() as never;
let world: KeeperWorld;
let indexer: RunningIndexer;
let followed: Followed;
/** A token that the keeper was told the price of, and one that it knows nothing about. */
let [priced, unknown]: [Address, Address] = [zeroAddress, zeroAddress];
let ids: Record<"large" | "small" | "dust" | "ended" | "priced" | "unknown", bigint>;

/** Passes the indexer's answers on, changed as a test says. */
let lie: ((items: Told) => Told) | undefined;
let asked = 0;
const between = createServer(async (request, response) => {
  asked += 1;
  try {
    const answer = await fetch(`${indexer.url}${request.url}`);
    const body = await answer.json();
    if (lie && request.url?.startsWith("/v1/streams")) Object.assign(body, { items: lie(body.items), next: null });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(body));
  } catch {
    response.destroy();
  }
});

beforeAll(async () => {
  world = await startKeeperWorld();
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const env = { NETWORK: "local", RPC_URL: world.local.rpcUrl, INDEXER_PORT: "0", INDEXER_POLL_MS: "50", INDEXER_PROBE_SECONDS: "0" };
  indexer = await runIndexer({ config: readConfig(env), logger });
  const { chain } = world;
  followed = followStreams({
    chain,
    folder: undefined,
    clock: systemClock,
    signal: ends.signal,
    logger,
    metrics: createMetrics("keeper", false),
  });
  const tokens = [];
  for (let count = 0; count < 2; count += 1) {
    const { address } = await deployToken(world.local, devAccounts[6] as LocalAccount, [payer.address]);
    tokens.push(address.toLowerCase() as Address);
  }
  [priced, unknown] = tokens as [Address, Address];
  ids = {
    large: await world.open(100_000n * coin, 10_000),
    small: await world.open(10_000n * coin, 10_000),
    dust: await world.open(10n ** 15n, 1_000),
    ended: await world.open(100n * coin, 20),
    priced: await openIn(priced),
    unknown: await openIn(unknown),
  };
});
beforeEach(async () => {
  lie = undefined;
  await world.local.advance(50);
  await caughtUp();
  asked = 0;
});
afterAll(async () => {
  ends.abort();
  await followed?.stopped();
  await indexer?.shutdown.stop("the test is over");
  between.closeAllConnections();
  await new Promise((resolve) => between.close(resolve));
  await world?.stop();
});

/** One whole token a second. */
async function openIn(asset: Address): Promise<bigint> {
  const sender = world.miningSender(payer);
  const { abi } = readArtifact("MockToken", "mocks/MockToken.sol");
  const { streamPay } = world.chain.network.contracts;
  const amount = 10_000n * coin;
  await sender.send({ contract: asset, abi: abi as Abi, functionName: "approve", args: [streamPay, amount] });
  const stream = { asset, amount, recipient: payee.address, durationSeconds: 10_000, serviceType: 0, providerId: 0 };
  const { receipt } = await sender.send(streamPayWrites.createTokenStream(stream));
  return createdStreamId(receipt);
}

/** The indexer has the newest block. */
async function caughtUp(): Promise<void> {
  const head = Number(await world.chain.client.getBlockNumber());
  await vi.waitFor(() => expect(indexer.health().block).toBeGreaterThanOrEqual(head), { timeout: 20_000, interval: 20 });
}

/** The priced token is worth half a coin. */
function keeper(otherwise: Source = chainSource(() => followed.list())) {
  let nowMs = 0;
  const source = indexerSource({
    client: createIndexerClient({ url: `http://127.0.0.1:${(between.address() as AddressInfo).port}`, fetch: boundedFetch }),
    chain: world.chain,
    assets: [zeroAddress, priced],
    otherwise,
    maxLag: 5,
    doubtMs: 60_000,
    now: () => nowMs,
    logger,
  });
  const worth = worthOf(new Map([[priced, { token: priced, decimals: 18, weiPerToken: coin / 2n }]]));
  const { round } = world.keeperOf({ source }, { worth, maxBatch: 1, everyMs: 600_000 });
  return {
    source,
    forgive: () => {
      nowMs += 60_000;
    },
    /** Sends what pays; every transaction of the keeper must be one that it says it sent, and must have paid (P15). */
    round: async () => {
      const before = await world.nonceOf(keeperAccount.address);
      const settled = await round(signal);
      expect(await world.nonceOf(keeperAccount.address)).toBe(before + settled.length);
      for (const { ids: updated, rewardWei, feeWei } of settled) {
        if (updated[0] !== ids.priced) expect(rewardWei).toBeGreaterThan(feeWei);
      }
      return settled;
    },
  };
}

/** For a keeper that must not need the chain's events. */
const nothingElse: Source = {
  name: "chain",
  open: undefined,
  find: () => Promise.reject(new Error("the chain's events were asked for")),
  doubt: () => {},
};

describe("a keeper with the indexer that follows the same chain", () => {
  it("behavior: finds what pays, best first, updates it, completes what has ended; the indexer then tells what the keeper did", async () => {
    const { round, source } = keeper(nothingElse);
    const settled = await round();
    expect(settled.map((batch) => batch.ids)).toEqual([[ids.large], [ids.ended], [ids.small], [ids.priced]]);
    expect(settled.map(({ completed }) => completed)).toEqual([0, 1, 0, 0]);
    const { lastPaid } = await readStream(world.chain, ids.large);
    expect(lastPaid).toBeGreaterThan((await readStream(world.chain, ids.dust)).lastPaid);

    await caughtUp();
    const client = createIndexerClient({ url: indexer.url });
    expect(await client.get("stream", { id: String(ids.ended) })).toMatchObject({ status: "closed", closedHow: "completed", accrued: "0" });
    const { items } = await client.get("keeperActions", { keeper: keeperAccount.address });
    const told = settled.toReversed().map(({ hash, rewardWei, feeWei, completed }) => ({
      transactionHash: hash,
      reward: String(rewardWei),
      gasCost: String(feeWei),
      completed,
    }));
    expect(items).toMatchObject(told);
    // What has gone on accruing since may pay again; what was completed is not named any more.
    expect((await round()).flatMap((batch) => batch.ids)).not.toContain(ids.ended);
    expect(source.name).toBe("indexer");
  });

  const named = (items: Told, id: bigint) => items.filter((item) => item.id === String(id));
  it.each<[string, () => Promise<Told>]>([
    [
      "amounts that have not accrued",
      async () => named(await open(), ids.dust).map((item) => ({ ...item, ratePerSecond: String(1_000n * coin), lastPaid: item.start })),
    ],
    ["streams that do not exist", async () => (await open()).map((item) => ({ ...item, id: String(BigInt(item.id) + 10n ** 15n) }))],
    [
      "streams of a priced token that do not exist",
      async () => named(await open(), ids.priced).map((item) => ({ ...item, id: "1000000", lastPaid: item.start })),
    ],
    [
      "a worthless token by the name of a priced one",
      async () => named(await open(), ids.unknown).map((item) => ({ ...item, asset: priced })),
    ],
    ["a worthless token for the coin", async () => named(await open(), ids.unknown).map((item) => ({ ...item, asset: zeroAddress }))],
  ])("behavior: told of %s it asks the chain, sends nothing, doubts, and finds by the chain's events (P15)", async (_, told) => {
    const items = await told();
    expect(items.length).toBeGreaterThan(0);
    lie = () => items;
    const { round, source, forgive } = keeper();
    expect(await round()).toEqual([]);
    expect([source.name, asked > 0]).toEqual(["indexer", true]);
    await followed.ready();
    await vi.waitFor(async () => expect((await round()).flatMap((batch) => batch.ids)).toContain(ids.large), { timeout: 20_000 });
    expect(source.name).toBe("chain");

    // After a while it is asked again, and believed where the chain agrees.
    lie = undefined;
    forgive();
    await world.local.advance(50);
    await caughtUp();
    expect((await round()).map((batch) => batch.ids)).toEqual([[ids.large], [ids.small], [ids.priced]]);
    expect(source.name).toBe("indexer");
  });

  it("behavior: told the truth among lies it settles what is true", async () => {
    const truth = named(await open(), ids.large);
    const invented = (await open()).slice(0, 1).map((item) => ({ ...item, id: String(10n ** 16n), ratePerSecond: String(2n ** 60n) }));
    lie = () => [...invented, ...truth];
    const { round } = keeper();
    expect((await round()).map((batch) => batch.ids)).toEqual([[ids.large]]);
  });

  it("behavior: the indexer dies: the chain's events find the same", async () => {
    await indexer.shutdown.stop("a test");
    const { round, source } = keeper();
    await followed.ready();
    await vi.waitFor(async () => expect((await round()).flatMap((batch) => batch.ids)).toContain(ids.large), { timeout: 20_000 });
    expect(source.name).toBe("chain");
  });

  /** What the indexer says is open. */
  async function open(): Promise<Told> {
    const { items } = await createIndexerClient({ url: indexer.url }).get("streams", { status: "open" });
    return items;
  }
});
