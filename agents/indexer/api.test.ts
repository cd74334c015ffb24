import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createIndexerClient, type IndexerClient, type IndexerRouteName, indexerOpenApi, indexerRoutes } from "@clawcompute/lib/indexer";
import { createDialer, createLogger, createMetrics, type Listening, listen } from "@clawcompute/lib/node";
import { parseSse } from "@clawcompute/lib/protocol";
import { openStore, type Store } from "@clawcompute/lib/store";
import { createFakeClock, findPostgres, type LocalChain, startLocalChain, startPostgres } from "@clawcompute/lib/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createIndexerApp } from "./app.ts";
import { type HeadTracker, trackHead } from "./head.ts";
import { createProber } from "./probe.ts";
import { followTo } from "./testing/contents.ts";
import { type Story, startStory } from "./testing/story.ts";

let local: LocalChain;
let story: Story;
let store: Store;
let heads: HeadTracker;
let listening: Listening;
let client: IndexerClient;
let url: string;
const ends = new AbortController();
const logger = createLogger({ name: "test", level: "silent" });

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  story = await startStory(local, 3);
  await story.blocks(25, 12);
  store = await openStore({});
  const { chainId } = local.network;
  await followTo(store.db, local.network);
  heads = trackHead(store.db, chainId);
  await heads.refresh();
  listening = await listen(appOf(store, heads), { port: 0, host: "127.0.0.1" });
  url = listening.url;
  client = createIndexerClient({ url });
}, 60_000);
afterAll(async () => {
  ends.abort();
  await listening?.close(0);
  await store?.close();
  await local?.stop();
});

function appOf({ db, kind }: Store, tracked: HeadTracker) {
  const { chainId } = local.network;
  return createIndexerApp({
    db,
    chainId,
    heads: tracked,
    health: () => {
      const { blockNumber, at, rollbacks } = tracked.current();
      const place = { block: blockNumber, at, chainBlock: null, lagBlocks: null, lagMs: null, rollbacks };
      return { status: "ok", role: "writer", store: kind, chainId, ...place };
    },
    assertReady: async () => {},
    logger,
    metrics: createMetrics("test", false),
    corsOrigin: "*",
    signal: ends.signal,
  });
}

/** Mines, indexes and lets the API know. */
async function oneMoreBlock(): Promise<void> {
  await story.blocks(1, 8);
  await followTo(store.db, local.network);
  await heads.refresh();
}

const lists = [
  "providers",
  "streams",
  "channels",
  "settlements",
  "credits",
  "keepers",
  "keeperActions",
  "models",
  "prices",
  "daily",
  "events",
  "activity",
  "keeperDays",
] as const;

describe("the table of routes", () => {
  it("behavior: every route answers what it promises, to the client made from the same table", { timeout: 30_000 }, async () => {
    const channel = (await client.get("channels", {})).items[0]?.id;
    const inputs: Partial<Record<IndexerRouteName, object>> = {
      provider: { id: 1 },
      providerHistory: { id: 1 },
      providerDays: { id: 1 },
      providerUptime: { id: 1 },
      stream: { id: "1" },
      streamEvents: { id: "1" },
      channel: { id: channel },
      dailyPrices: { model: "qwen3" },
    };
    for (const name of Object.keys(indexerRoutes) as IndexerRouteName[]) {
      if (name === "live") continue;
      const answer = await client.get(name, (inputs[name] ?? {}) as never);
      expect(answer, name).toBeDefined();
      // Nothing has probed yet.
      if ("items" in (answer as object) && name !== "providerUptime")
        expect((answer as { items: unknown[] }).items.length, name).toBeGreaterThan(0);
    }
  });

  it("behavior: the OpenAPI document has every route with its parameters", async () => {
    const document = await (await fetch(`${url}/openapi.json`)).json();
    expect(document).toEqual(JSON.parse(JSON.stringify(indexerOpenApi())));
    expect(document.openapi).toBe("3.1.0");
    for (const [name, { path, query, params }] of Object.entries(indexerRoutes)) {
      const operation = document.paths[path.replaceAll(/:(\w+)/g, "{$1}")].get;
      expect(operation.operationId).toBe(name);
      expect(operation.parameters.map((one: { name: string }) => one.name)).toEqual([
        ...Object.keys(params.shape),
        ...Object.keys(query.shape),
      ]);
      for (const parameter of operation.parameters)
        expect(Object.keys(parameter.schema).length, `${name} ${parameter.name}`).toBeGreaterThan(0);
      expect(operation.responses[200].content).toBeDefined();
    }
  });

  it("behavior: pages follow each other without a gap or a repetition", { timeout: 30_000 }, async () => {
    const variants = [
      ...lists.map((name) => [name, {}] as const),
      ["streams", { sort: "end" }],
      ["streams", { sort: "accrued" }],
      ["streams", { status: "closed" }],
      ["providers", { sort: "earned" }],
      ["providers", { sort: "id", active: "true" }],
      ["keepers", { sort: "keeper" }],
      ["activity", { step: "minute" }],
    ] as const;
    for (const [name, input] of variants) {
      const whole = await client.get(name as "streams", { ...input, limit: 500 } as never);
      expect(whole.next, name).toBeNull();
      const walked: unknown[] = [];
      let cursor: string | null = null;
      do {
        const page: typeof whole = await client.get(name as "streams", { ...input, limit: 7, ...(cursor ? { cursor } : {}) } as never);
        walked.push(...page.items);
        cursor = page.next;
      } while (cursor);
      expect(walked, `${name} ${JSON.stringify(input)}`).toEqual(whole.items);
    }
  });

  it("behavior: filters leave out what they should, and nothing else", async () => {
    const { items: all } = await client.get("streams", { limit: 500 });
    const some = all[0] as (typeof all)[number];
    const same = async (input: object, keep: (stream: typeof some) => boolean) =>
      expect((await client.get("streams", { limit: 500, ...input })).items.map(({ id }) => id).sort(), JSON.stringify(input)).toEqual(
        all
          .filter(keep)
          .map(({ id }) => id)
          .sort(),
      );
    await same({ payer: some.payer.toUpperCase().replace("0X", "0x") }, ({ payer }) => payer === some.payer);
    await same({ payee: some.payee }, ({ payee }) => payee === some.payee);
    await same({ providerId: some.providerId }, ({ providerId }) => providerId === some.providerId);
    await same({ asset: story.token.toLowerCase() }, ({ asset }) => asset === story.token.toLowerCase());
    for (const status of ["active", "ended", "closed"] as const) await same({ status }, (stream) => stream.status === status);
    await same({ status: "open" }, ({ status }) => status !== "closed");
    const accrued = (await client.get("streams", { sort: "accrued", limit: 500 })).items.map((stream) => BigInt(stream.accrued));
    expect(accrued.length).toBeGreaterThan(3);
    expect(accrued).toEqual(accrued.toSorted((a, b) => (a > b ? -1 : 1)));
    const prices = (await client.get("providers", { active: "true", minPrice: "10", maxPrice: "30", limit: 500 })).items;
    expect(prices.length).toBeGreaterThan(0);
    expect(prices.every((offer) => offer.active && BigInt(offer.pricePerSecond) >= 10n && BigInt(offer.pricePerSecond) <= 30n)).toBe(true);
  });

  it.each([
    ["/v1/streams?cursor=abc", 400, "bad_request", "cursor"],
    ["/v1/streams?cursor=WyIxIiwiMiJd", 400, "bad_request", "cursor"],
    [`/v1/streams?cursor=${Buffer.from(`["${"9".repeat(40)}"]`).toString("base64url")}`, 400, "bad_request", null],
    ["/v1/streams?payer=0x12", 400, "bad_request", "payer"],
    ["/v1/streams?colour=red", 400, "bad_request", "colour"],
    ["/v1/streams?limit=501", 400, "bad_request", "limit"],
    ["/v1/streams?status=closed&sort=accrued", 400, "bad_request", "sort"],
    ["/v1/streams/0", 400, "bad_request", "id"],
    ["/v1/streams/999999", 404, "not_found", "id"],
    ["/v1/providers/999999", 404, "not_found", "id"],
    ["/v1/nothing", 404, "not_found", null],
  ])("error: %s", async (path, status, code, param) => {
    const response = await fetch(url + path);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code, param } }]);
  });

  it("error: other methods", async () => {
    const response = await fetch(`${url}/v1/streams`, { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
  });
});

describe("analytics", () => {
  const sumOf = (rows: readonly object[], key: string) =>
    rows.reduce((sum, row) => sum + BigInt((row as Record<string, string | number>)[key] ?? 0), 0n);
  const amounts = ["deposited", "paid", "rewards", "refunded", "soldMs", "payments", "streamsOpened", "streamsClosed"];

  it("behavior: minutes, hours, days and providers' days add up to the sums since the beginning", async () => {
    const { assets } = await client.get("stats", {});
    for (const { asset, ...total } of assets) {
      const [minutes, hours, days] = await Promise.all([
        client.get("activity", { step: "minute", asset, limit: 500 }),
        client.get("activity", { asset, limit: 500 }),
        client.get("daily", { asset, limit: 500 }),
      ]);
      expect(minutes.items.length).toBeGreaterThan(hours.items.length);
      for (const key of amounts) {
        const whole = sumOf([total], key);
        expect([key, sumOf(minutes.items, key), sumOf(hours.items, key), sumOf(days.items, key)]).toEqual([key, whole, whole, whole]);
      }
      for (const { items } of [minutes, hours]) {
        let open = 0;
        for (const { streamsOpened, streamsClosed, streamsOpen } of items.toReversed()) {
          open += streamsOpened - streamsClosed;
          expect(streamsOpen).toBe(open);
        }
      }
    }
  });

  it("behavior: a filtered or later page tells the same numbers of open streams", async () => {
    const { items } = await client.get("activity", { step: "minute", limit: 500 });
    const from = items.at(-3)?.at as number;
    const to = items[3]?.at as number;
    const within = items.filter(({ at }) => at >= from && at <= to);
    expect(within.length).toBeGreaterThan(3);
    expect((await client.get("activity", { step: "minute", limit: 500, from, to })).items).toEqual(within);
  });

  it("behavior: a channel's payments count for the provider that they were recorded for", async () => {
    const { items: settlements } = await client.get("settlements", { limit: 500 });
    const ofChannels = settlements.filter(({ kind, paid }) => kind.startsWith("channel") && paid !== "0");
    const named = ofChannels.filter(({ providerId }) => providerId > 0);
    expect([named.length > 0, ofChannels.length > named.length]).toEqual([true, true]);
    for (const { providerId, payee, asset } of named) {
      const offer = await client.get("provider", { id: providerId });
      expect([offer.owner, offer.asset]).toEqual([payee, asset]);
    }
    for (const providerId of new Set([0, ...named.map((row) => row.providerId)])) {
      const days = (await client.get("providerDays", { id: providerId, limit: 500 })).items;
      const streams = (await client.get("streams", { providerId, limit: 500 })).items;
      const channels = settlements.filter((row) => row.providerId === providerId && row.kind.startsWith("channel"));
      expect(sumOf(days, "paid"), `provider ${providerId}`).toBe(sumOf(streams, "paid") + sumOf(channels, "paid"));
    }
  });

  it("behavior: the keepers' days are their actions", async () => {
    const [{ items: actions }, { items: keepers }] = await Promise.all([
      client.get("keeperActions", { limit: 500 }),
      client.get("keepers", { limit: 500 }),
    ]);
    const whole = (await client.get("keeperDays", {})).items;
    for (const key of ["streams", "completed", "accrued", "reward", "gasCost"]) expect(sumOf(whole, key), key).toBe(sumOf(actions, key));
    const own = await Promise.all(keepers.map(({ keeper }) => client.get("keeperDays", { keeper })));
    expect(
      sumOf(
        own.flatMap(({ items }) => items),
        "net",
      ),
    ).toBe(sumOf(keepers, "net"));
    expect(whole.map(({ keepers: sent }) => sent)).toEqual(
      whole.map(({ day }) => new Set(actions.filter(({ at }) => Math.floor(at / 86_400) === day).map(({ keeper }) => keeper)).size),
    );
  });
});

describe("ETag", () => {
  it("behavior: nothing is sent again until something was written", async () => {
    const first = await fetch(`${url}/v1/streams?limit=5`);
    const etag = first.headers.get("etag") as string;
    const ask = () => fetch(`${url}/v1/streams?limit=5`, { headers: { "if-none-match": `"other", ${etag}` } });
    const again = await ask();
    // The tag also changes with the quarter minute.
    if (again.headers.get("etag") === etag) expect([again.status, await again.text()]).toEqual([304, ""]);
    await oneMoreBlock();
    expect((await ask()).status).toBe(200);
    expect(first.headers.get("access-control-allow-origin")).toBe("*");
    expect(first.headers.get("access-control-expose-headers")).toContain("etag");
  });
});

describe("pages that many ask for", () => {
  it("behavior: one question to the database for all of them, in whatever order their filters are, until blocks come or go", {
    timeout: 60_000,
  }, async () => {
    const { $client: engine } = store.db as unknown as { $client: { exec(text: string): Promise<unknown> } };
    const asked = vi.spyOn(engine, "exec");
    const questions = () => asked.mock.calls.filter(([text]) => text.startsWith("execute")).length;
    const readers = async () => {
      const before = questions();
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, reader) => {
          const response = await fetch(`${url}/v1/streams?${reader % 2 ? "limit=6&status=open" : "status=open&limit=6"}`);
          return { etag: response.headers.get("etag"), page: await response.json() };
        }),
      );
      expect(answers.every(({ page }) => page.items.length === 6)).toBe(true);
      // Twice when the quarter minute ended meanwhile.
      expect([1, 2]).toContain(questions() - before);
      const tags = new Set(answers.map(({ etag }) => etag));
      expect(tags.size).toBe(questions() - before);
      return { tags: [...tags], block: answers[0]?.page.block as number };
    };
    const first = await readers();
    await oneMoreBlock();
    const second = await readers();
    expect(second.block).toBe(first.block + 1);
    const { rollbacks } = heads.current();
    await local.request("anvil_reorg", [1, []]);
    await oneMoreBlock();
    const third = await readers();
    expect(heads.current().rollbacks).toBe(rollbacks + 1);
    expect(new Set([...first.tags, ...second.tags, ...third.tags]).size).toBe(first.tags.length + second.tags.length + third.tags.length);
    asked.mockRestore();
  });

  it("error: nothing of a strange text is run: it is a value, for the embedded database too", async () => {
    for (const model of ["'); drop table indexer_streams; --", "\\'; select 1; --", "E'\\x00'", '"}],"next":"x']) {
      const page = await client.get("providers", { model });
      expect(page.items, model).toEqual([]);
    }
    const response = await fetch(`${url}/v1/providers?model=%00`);
    expect(response.status).toBe(400);
    expect((await client.get("streams", {})).items.length).toBeGreaterThan(0);
  });
});

describe("a PostgreSQL server", () => {
  it("behavior: gives the same pages as the embedded database, cursors included", { timeout: 90_000 }, async (context) => {
    if (!findPostgres()) context.skip("PostgreSQL is not installed here");
    const server = await startPostgres();
    const other = await openStore({ databaseUrl: await server.createDatabase() });
    try {
      await followTo(other.db, local.network);
      const otherHeads = trackHead(other.db, local.network.chainId);
      await otherHeads.refresh();
      expect(otherHeads.current().blockNumber).toBe(heads.current().blockNumber);
      const app = appOf(other, otherHeads);
      const { items } = await client.get("streams", { status: "open" });
      const { payer, payee, providerId, asset } = items[0] as (typeof items)[number];
      const paths = [
        "/v1/providers",
        `/v1/providers?sort=earned&asset=${asset}`,
        "/v1/providers?sort=id&active=true&serviceType=0&minPrice=2&maxPrice=90",
        "/v1/providers?model=qwen3",
        `/v1/providers/${providerId}`,
        `/v1/providers/${providerId}/history`,
        `/v1/providers/${providerId}/days`,
        "/v1/streams",
        `/v1/streams?payer=${payer}&status=open`,
        `/v1/streams?payee=${payee}&status=closed`,
        `/v1/streams?providerId=${providerId}&asset=${asset}`,
        `/v1/streams?sort=accrued&asset=${asset}`,
        `/v1/streams?sort=accrued&payee=${payee}`,
        "/v1/streams?status=ended",
        `/v1/streams/${items[0]?.id}`,
        `/v1/streams/${items[0]?.id}/events`,
        "/v1/channels?status=open",
        `/v1/settlements?kind=settled`,
        `/v1/credits?all=true`,
        "/v1/keepers",
        "/v1/keeper-actions",
        "/v1/keepers/daily",
        "/v1/models",
        "/v1/prices",
        "/v1/events",
        "/v1/daily",
        "/v1/activity?step=minute",
        "/v1/stats",
      ];
      for (const path of paths) {
        const whole = path.split("/").length > 3 || path === "/v1/stats";
        let next: string | null = null;
        for (let page = 0; page < 2; page += 1) {
          const at: string = whole ? path : `${path}${path.includes("?") ? "&" : "?"}limit=3${next ? `&cursor=${next}` : ""}`;
          const [embedded, served] = await Promise.all([
            fetch(url + at).then((response) => response.json()),
            Promise.resolve(app.request(at)).then((response) => response.json()),
          ]);
          expect(served, at).toEqual(embedded);
          next = embedded.next ?? null;
          if (next === null) break;
        }
      }
    } finally {
      await other.close();
      await server.stop();
    }
  });
});

describe("live", () => {
  async function open(lastId?: string) {
    const gone = new AbortController();
    const response = await fetch(client.urlOf("live"), { signal: gone.signal, headers: lastId ? { "last-event-id": lastId } : {} });
    const messages = parseSse(response.body as ReadableStream<Uint8Array>)[Symbol.asyncIterator]();
    return {
      next: async () => {
        const { value } = await messages.next();
        return JSON.parse((value as { data: string }).data) as {
          type: string;
          block: number;
          events?: { name: string; blockNumber: number }[];
          reason?: string;
        };
      },
      close: () => gone.abort(),
    };
  }

  it("behavior: tells what comes, catches up from Last-Event-ID, and says when blocks were taken back", { timeout: 30_000 }, async () => {
    const feed = await open();
    const now = await feed.next();
    expect(now).toMatchObject({ type: "head", block: heads.current().blockNumber, events: [] });
    await oneMoreBlock();
    const next = await feed.next();
    expect(next.block).toBe(heads.current().blockNumber);
    expect(next.events?.length).toBeGreaterThan(0);
    feed.close();

    const { rollbacks, blockNumber } = heads.current();
    await oneMoreBlock();
    await oneMoreBlock();
    const late = await open(`${rollbacks}-${blockNumber}`);
    const missed = await late.next();
    expect(new Set(missed.events?.map((event) => event.blockNumber))).toEqual(new Set([blockNumber + 1, blockNumber + 2]));
    await local.request("anvil_reorg", [2, []]);
    await oneMoreBlock();
    expect(await late.next()).toMatchObject({ type: "reset", reason: "reorganised" });
    late.close();
  });
});

describe("createProber", () => {
  let server: Server;
  let asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(request.url?.startsWith("/broken") ? 500 : 200).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => void server.close());

  it("behavior: probes active offers in turn and not too often; private addresses only where they are allowed", {
    timeout: 30_000,
  }, async () => {
    const { port } = server.address() as AddressInfo;
    const { chainId } = local.network;
    const clock = createFakeClock();
    const to = `http://127.0.0.1:${port}`;
    const dialer = createDialer({ allowPrivate: true });
    const request: typeof dialer.request = (target, options) =>
      dialer.request(new URL(`${to}${Number(target.port) % 2 ? "/broken" : ""}${target.pathname}`), options);
    const active = (await client.get("providers", { active: "true", limit: 500 })).items.length;
    const probe = createProber({ db: store.db, chainId, request, clock, everyMs: 60_000, atOnce: 7 });
    const signal = new AbortController().signal;
    let probed = 0;
    for (let round = 0; round < Math.ceil((active + 1) / 7); round += 1) probed += await probe(signal);
    expect([probed, asked.length]).toEqual([active, active]);
    expect(asked.every((path) => path.endsWith("/health"))).toBe(true);
    expect(await probe(signal)).toBe(0);
    await clock.tick(60_000);
    expect(await probe(signal)).toBe(7);
    dialer.close();
    const days = await Promise.all(
      (await client.get("providers", { limit: 500 })).items.map(({ id }) => client.get("providerUptime", { id })),
    );
    const seen = days.flatMap(({ items }) => items);
    expect(seen.reduce((sum, day) => sum + day.probes, 0)).toBe(active + 7);
    expect(seen.every(({ lastOk, answered, meanLatencyMs }) => lastOk === (meanLatencyMs !== null) || answered > 0)).toBe(true);

    asked = [];
    const guarded = createDialer({ allowPrivate: false });
    const careful = createProber({ db: store.db, chainId, request: guarded.request, clock, everyMs: 0, atOnce: 500 });
    await careful(signal);
    guarded.close();
    expect(asked).toEqual([]);
  });
});
