import { createHash } from "node:crypto";
import { readStream } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { createLogger, steadyClock } from "@clawcompute/lib/node";
import { openStore, type Store } from "@clawcompute/lib/store";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { nativeAsset } from "../asset.ts";
import { createBudget } from "../budget/budget.ts";
import { openLedger, type StoreLedger } from "../ledger/storeLedger.ts";
import { findStreams } from "../orphans.ts";
import { createExperience } from "../selection/experience.ts";
import { type Market, openMarket } from "../testing/market.ts";
import { type Exchange, wholeAnswer } from "../testing/scriptedProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 20_000 });

const PRICE = 1_000_000_000_000n;
const messages = [{ role: "user", content: "hello" }];
let market: Market;
let store: Store;
let gateway: TestGateway | undefined;
beforeAll(async () => {
  [market, store] = await Promise.all([openMarket(), openStore({})]);
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await market.clear();
});
afterAll(async () => {
  await market?.close();
  await store?.close();
});

const silent = createLogger({ name: "test", level: "silent" });
const ledgerOf = (): StoreLedger =>
  openLedger({ db: store.db, chain: market.chain, payer: market.payer.address, clock: steadyClock, logger: silent });

async function start(overrides: Parameters<typeof startGateway>[2] = {}): Promise<TestGateway> {
  gateway = await startGateway(market.local, market.payer, { limits: { settleMs: 500 }, ...overrides }, market.sender);
  return gateway;
}

const chat = (body: object = {}, init: RequestInit = {}) =>
  fetch(`${gateway?.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ model: "tiny", messages, ...body }), ...init });
const own = async (path: string) => (await fetch(`${gateway?.url}${path}`)).json();
const opened = () => (gateway?.log ?? []).map((line) => JSON.parse(line)).filter(({ msg }) => msg === "stream opened");

describe("streams", () => {
  test("behavior: an unused stream is ended by itself, with the provider's settlement", async () => {
    await market.provide();
    await start({ pool: { idleMs: 50 } });
    expect((await chat()).status).toBe(200);
    const [open] = gateway?.gateway.pool.list() ?? [];
    await vi.waitFor(() => expect(gateway?.gateway.pool.list()).toEqual([]), { timeout: 20_000 });
    expect((await readStream(market.chain, BigInt(open?.cover.id ?? 0))).status).toBe("closed");
    const ended = gateway?.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === "stream ended");
    expect(BigInt(ended.paidWei)).toBe((PRICE * BigInt(ended.servedMs)) / 1000n);
  });

  test("behavior: a stream in use is prolonged before it runs dry", async () => {
    let finish = () => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await market.provide({
      chat: async (exchange: Exchange) => {
        exchange.token("one ");
        await over;
        await wholeAnswer(exchange);
      },
    });
    await start({ pool: { depositSeconds: 20, minRunwayMs: 1_000 } });
    const answer = chat({ stream: true });
    await vi.waitFor(() => expect(gateway?.gateway.pool.list()).toHaveLength(1), 20_000);
    const [before] = gateway?.gateway.pool.list() ?? [];
    const deposit = before?.cover.depositWei ?? 0n;
    await market.local.advance(12);
    await vi.waitFor(() => expect(before?.cover.depositWei).toBe(deposit + 20n * PRICE), { timeout: 20_000 });
    finish();
    expect(await (await answer).text()).toContain("[DONE]");
    expect(gateway?.gateway.budget.report().heldWei).toBe(deposit + 20n * PRICE);
  });

  test("error: an opening that may still be mined stays held; mined late, its stream is found and ended (P14)", async () => {
    await market.provide();
    let late: Parameters<typeof market.sender.send> | undefined;
    const nonce = await market.chain.client.getTransactionCount({ address: market.payer.address });
    const send: typeof market.sender.send = (...sending) => {
      if (late || sending[0].functionName !== "createStream") return market.sender.send(...sending);
      late = sending;
      return Promise.reject(new AppError("TRANSACTION_UNCERTAIN", "not known", { facts: { nonce } }));
    };
    let looks = 0;
    const sleep = (ms: number, signal?: AbortSignal) => {
      if (ms === 30_000) looks += 1;
      return steadyClock.sleep(Math.min(ms, 100), signal);
    };
    const overrides = { limits: { settleMs: 500 }, clock: { ...steadyClock, sleep } };
    gateway = await startGateway(market.local, market.payer, overrides, { ...market.sender, send });
    expect((await chat()).ok).toBe(false);
    const held = gateway.gateway.budget.report().heldWei;
    expect(held).toBeGreaterThan(0n);
    const before = looks;
    await vi.waitFor(() => expect(looks).toBeGreaterThan(before + 2), { timeout: 20_000 });
    expect(gateway.gateway.budget.report().heldWei).toBe(held);
    await market.sender.send(...(late as NonNullable<typeof late>));
    await vi.waitFor(() => expect(gateway?.gateway.budget.report().heldWei).toBe(0n), { timeout: 20_000 });
    expect((await findStreams(market.chain, market.payer.address, 0n)).filter(({ status }) => status === "active")).toEqual([]);
  });

  test("error: a top-up that is refused again and again uses up no limit", async () => {
    let finish = () => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await market.provide({
      chat: async (exchange: Exchange) => {
        exchange.token("one ");
        await over;
        await wholeAnswer(exchange);
      },
    });
    const send: typeof market.sender.send = (call, options) =>
      call.functionName === "topUpStream" ? Promise.reject(new AppError("WALLET_UNFUNDED", "empty")) : market.sender.send(call, options);
    const overrides = { limits: { settleMs: 500 }, pool: { depositSeconds: 20, minRunwayMs: 1_000 } };
    gateway = await startGateway(market.local, market.payer, overrides, { ...market.sender, send });
    const answer = chat({ stream: true });
    await vi.waitFor(() => expect(gateway?.gateway.pool.list()).toHaveLength(1), 20_000);
    const deposit = gateway.gateway.pool.list()[0]?.cover.depositWei;
    await market.local.advance(12);
    const refusals = () => gateway?.log.filter((line) => line.includes("the stream is not prolonged")).length;
    await vi.waitFor(() => expect(refusals()).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
    expect(gateway.gateway.budget.report().heldWei).toBe(deposit);
    finish();
    await answer;
  });

  test("behavior: when a paid provider vanishes, what is left of the deposit moves on in one transaction", async () => {
    const first = await market.provide({ price: PRICE });
    const second = await market.provide({ price: PRICE * 2n });
    await start();
    expect(await (await chat()).json()).toMatchObject({ clawcompute: { provider: String(first.offer.id) } });
    await first.close();
    expect(await (await chat()).json()).toMatchObject({ clawcompute: { provider: String(second.offer.id) } });
    expect(opened().map(({ from }) => from === undefined)).toEqual([true, false]);
    const { heldWei, totalWei } = gateway?.gateway.budget.report() ?? { heldWei: 0n, totalWei: 0n };
    expect(heldWei).toBeLessThan(60n * PRICE);
    expect(totalWei).toBeGreaterThan(0n);
  });

  test("behavior: a price that rises does not touch the open stream (P11)", async () => {
    const { registryWrites, createSender } = await import("@clawcompute/lib/chain");
    const { devAccounts } = await import("@clawcompute/lib/testing");
    const provider = await market.provide();
    await start();
    await chat();
    const sender = createSender({ chain: market.chain, account: devAccounts[1] as never, logger: silent });
    await sender.send(
      registryWrites.updateProvider({ id: provider.offer.id, pricePerSecond: PRICE * 50n, endpoint: provider.url, active: true }),
      {
        onSent: () => void market.local.advance(1),
      },
    );
    expect(await (await chat()).json()).toMatchObject({ clawcompute: { provider: String(provider.offer.id) } });
    expect(gateway?.gateway.pool.list().map(({ cover }) => cover.ratePerSecond)).toEqual([PRICE]);
  });
});

describe("limits (P14)", () => {
  test("error: what could at worst be spent never passes a limit, whatever clients ask", async () => {
    for (let count = 0; count < 4; count += 1) await market.provide({ model: `m${count}` });
    const perHour = 130n * PRICE;
    await start({ spendLimits: { perHour }, pool: { maxCovers: 10 } });
    let most = 0n;
    const watch = setInterval(() => {
      const { heldWei, hourWei } = gateway?.gateway.budget.report() ?? { heldWei: 0n, hourWei: 0n };
      if (heldWei + hourWei > most) most = heldWei + hourWei;
    }, 5);
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => chat({ model: `m${index % 4}` })));
    clearInterval(watch);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(answers.filter(({ status }) => ![200, 402, 503].includes(status))).toEqual([]);
    expect(most).toBeLessThanOrEqual(perHour);
  });

  test("error: no more streams at once than allowed; an unused one makes room", async () => {
    await market.provide({ model: "a" });
    await market.provide({ model: "b" });
    await start({ pool: { maxCovers: 1 } });
    expect((await chat({ model: "a" })).status).toBe(200);
    expect((await chat({ model: "b" })).status).toBe(200);
    expect(
      gateway?.gateway.pool
        .list()
        .filter(({ phase }) => phase === "open")
        .map(({ cover }) => cover.offer.model),
    ).toEqual(["b"]);
  });

  test("error: an empty purse is a person's business, and says so", async () => {
    await market.provide();
    await start({ spendLimits: { total: PRICE } });
    const response = await chat();
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([402, "false"]);
    expect(await response.json()).toMatchObject({ error: { type: "insufficient_quota", code: "budget_exceeded" } });
  });

  test("error: a client whose rest is too small for a first word is refused, charged for it, and no provider is blamed", async () => {
    const provider = await market.provide({ chat: () => {} });
    const client = { name: "poor", limits: { total: PRICE / 10n } };
    const keySha256 = createHash("sha256").update("poor-key").digest("hex");
    await start({ access: { clients: [{ client, keySha256 }] } });
    const ask = () =>
      fetch(`${gateway?.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer poor-key" },
        body: JSON.stringify({ model: "tiny", messages: [{ role: "user", content: "hi" }] }),
      });
    for (const exchanges of [1, 1]) {
      const response = await ask();
      expect([response.status, (await response.json()).error.code]).toEqual([402, "budget_exceeded"]);
      expect(provider.exchanges).toBe(exchanges);
    }
    expect(gateway?.gateway.experience.of(provider.offer.id)).toMatchObject({ failures: 0, coolUntilMs: 0 });
  });

  test("error: models and providers that are not allowed, prices above the cap, costs above the client's own", async () => {
    const provider = await market.provide();
    await start({ choice: { models: ["other"] } });
    expect((await (await chat()).json()).error.code).toBe("model_not_found");
    await gateway?.stop();
    await start({ choice: { providers: [provider.offer.id + 1] } });
    expect((await (await chat()).json()).error.code).toBe("model_not_found");
    await gateway?.stop();
    await start({ choice: { maxPrice: PRICE - 1n } });
    expect((await (await chat()).json()).error.code).toBe("price_above_cap");
    await gateway?.stop();
    await start();
    expect((await (await chat({ max_cost: "0.000000000000000001" })).json()).error).toMatchObject({
      code: "price_above_cap",
      param: "max_cost",
    });
    expect(provider.exchanges).toBe(0);
  });
});

describe("books", () => {
  test("behavior: every wei is kept, agrees with the chain, and a new run knows it", async () => {
    await market.provide();
    const ledger = ledgerOf();
    await start({ ledger, db: store.db, pool: { idleMs: 60_000 } });
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await (await chat()).json());
    await chat({ model: "nobody's" });
    await gateway?.gateway.pool.endOpen();
    const spend = await own("/gateway/spend?by=model");
    const row = spend.rows.find(({ group }: { group: string }) => group === "tiny");
    expect(row).toMatchObject({
      requests: 3,
      failed: 0,
      costWei: String(answers.reduce((sum, { clawcompute }) => sum + BigInt(clawcompute.costWei), 0n)),
    });
    expect(spend.rows).toContainEqual(expect.objectContaining({ group: "-", requests: 1, failed: 1 }));
    expect(BigInt(spend.gasWei)).toBeGreaterThan(0n);
    const { differences } = await own("/gateway/reconcile");
    expect(differences.filter(({ kind }: { kind: string }) => kind !== "not_kept")).toEqual([]);

    const csv = await (await fetch(`${gateway?.url}/gateway/spend?format=csv`)).text();
    expect(csv.split("\r\n")).toHaveLength(6);
    const why = await own(`/gateway/why?request=${answers[0].clawcompute.requestId}`);
    expect(why).toMatchObject({ outcome: "ok", ranking: [{ place: 1, model: "tiny" }] });

    const { totalWei } = gateway?.gateway.budget.report() ?? { totalWei: 0n };
    await gateway?.stop();
    const again = ledgerOf();
    await start({ ledger: again, db: store.db });
    if (gateway) await again.restore(gateway.gateway.budget, gateway.gateway.experience);
    expect(gateway?.gateway.budget.report().totalWei).toBe(totalWei);
    expect([
      ...(gateway?.gateway.experience.of(Number(answers[0].clawcompute.provider)).firstTokenMs === undefined ? [] : ["known"]),
    ]).toEqual(["known"]);
  });

  test("behavior: what a dead run left out counts against the limits until it is found on the chain (P14)", async () => {
    await market.provide();
    const ledger = ledgerOf();
    const { gateway: running } = await start({ ledger, db: store.db });
    await chat();
    await ledger.flush();
    const [{ cover } = { cover: { depositWei: 0n } }] = running.pool.list();
    expect(cover.depositWei).toBeGreaterThan(0n);
    const budget = createBudget({ limits: {}, clock: steadyClock, asset: nativeAsset(market.chain) });
    const left = await ledgerOf().restore(budget, createExperience(steadyClock));
    expect(budget.report().heldWei).toBe(cover.depositWei);
    left.settle(0n);
    expect(budget.report().heldWei).toBe(0n);
  });

  test("error: books that were changed are found out", async () => {
    await market.provide();
    await start({ ledger: ledgerOf(), db: store.db });
    await chat();
    await gateway?.gateway.pool.endOpen();
    await own("/gateway/spend");
    const { gatewayStreams, sql } = await import("@clawcompute/lib/store");
    await store.db.update(gatewayStreams).set({ paidWei: sql`${gatewayStreams.paidWei} + 1` });
    const { differences } = await own("/gateway/reconcile");
    expect(differences).toContainEqual(expect.objectContaining({ kind: "amounts" }));
  });
});
