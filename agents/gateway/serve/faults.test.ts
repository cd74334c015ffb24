import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connectChain, readStream } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import { signSettlement } from "@clawcompute/lib/protocol";
import { devAccounts, type RpcProxy, startRpcProxy } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { findOpenings, readStreamEvents } from "../ledger/chainEvents.ts";
import { recordFaultRow } from "../testing/faultRow.ts";
import { type Market, openMarket } from "../testing/market.ts";
import { type Exchange, fail, type ScriptedProviderOptions } from "../testing/scriptedProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

// Every fault against a real chain: what the client saw, what was paid, what was lost. `npm run faults:gateway` writes the table.
let market: Market;
let gateway: TestGateway | undefined;
let rpc: RpcProxy | undefined;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(async () => {
  rpc?.decide(() => "pass");
  await gateway?.stop();
  gateway = undefined;
  await rpc?.stop();
  rpc = undefined;
  await market.clear();
});
afterAll(() => market?.close());

const CHEAP = 1_000_000_000_000n;
const DEAR = 2_000_000_000_000n;
const limits = { firstTokenMs: 900, headersMs: 500, stallMs: 500, settleMs: 500 };

async function start(overrides: Parameters<typeof startGateway>[2] = {}) {
  gateway = await startGateway(market.local, market.payer, { limits, ...overrides }, market.sender);
  return gateway;
}

/** One request, as curl would send it: the status, how it ended and who answered. */
async function ask(body: object = {}) {
  const response = await fetch(`${gateway?.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "tiny", messages: [{ role: "user", content: "hello" }], ...body }),
    headers: { "content-type": "application/json" },
  });
  const answer = await response.json();
  const { status, headers } = response;
  if (answer.error) {
    const wait = headers.get("retry-after");
    return { saw: `${status} ${answer.error.code}${wait === null ? "" : ", retry-after"}`, provider: undefined, text: undefined, answer };
  }
  const { message, finish_reason } = answer.choices[0];
  return { saw: `${status} ${finish_reason}`, provider: answer.clawcompute.provider, text: message.content, answer };
}

/** What the chain has paid to the streams of one provider, all of them ended now. */
async function paidTo(providerId: number): Promise<{ streams: number; paidWei: bigint }> {
  const { chain } = market;
  const ids = await findOpenings(chain, market.payer.address, 0n);
  const events = await readStreamEvents(chain, ids, 0n);
  const own = events.flatMap((event) =>
    event.eventName === "StreamCreated" && Number(event.args.providerId) === providerId ? [event.args.id] : [],
  );
  let paidWei = 0n;
  for (const { eventName, args } of events) {
    if (!("id" in args) || !own.includes(args.id)) continue;
    if (eventName === "StreamCancelled" || eventName === "StreamSettled") paidWei += args.paid;
    if (eventName === "StreamWithdrawn") paidWei += args.amount;
  }
  for (const id of own) expect((await readStream(chain, id)).status).toBe("closed");
  return { streams: own.length, paidWei };
}

const onChat =
  (answer: NonNullable<ScriptedProviderOptions["intercept"]>): NonNullable<ScriptedProviderOptions["intercept"]> =>
  (request, response, body) =>
    request.url === "/v1/chat/completions" ? answer(request, response, body) : false;
const refuse = (code: string, headers?: Record<string, string>) =>
  onChat((_, response: ServerResponse) => {
    fail(response, new AppError(code, "no"), headers);
    return true;
  });
const says =
  (...steps: readonly ((exchange: Exchange) => unknown)[]) =>
  (exchange: Exchange): void => {
    for (const step of steps) step(exchange);
  };

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("before the first word: the next provider answers, and nothing is lost (P8)", () => {
  const unreachable: readonly (readonly [fault: string, endpointOf: (url: string) => Promise<string> | string])[] = [
    ["connection refused", async () => `http://127.0.0.1:${await closedPort()}`],
    // A label that no resolver takes: nothing is asked of the network.
    ["DNS: no such name", () => `http://${"x".repeat(64)}.test`],
    ["TLS: no TLS on that port", (url) => url.replace("http:", "https:")],
  ];
  test.each(unreachable)("error: %s", async (fault, endpointOf) => {
    const bare = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
    await new Promise((resolve) => bare.once("listening", resolve));
    const url = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`;
    const broken = await market.provide({ price: CHEAP, endpoint: await endpointOf(url) });
    const good = await market.provide({ price: DEAR });
    await start();
    const { saw, provider } = await ask();
    expect([saw, provider]).toEqual(["200 stop", String(good.offer.id)]);
    await gateway?.gateway.pool.endAll();
    const { streams, paidWei } = await paidTo(broken.offer.id);
    expect({ streams, paidWei }).toEqual({ streams: 0, paidWei: 0n });
    await new Promise((resolve) => bare.close(resolve));
    recordFaultRow({ fault, saw, paidWei, lostWei: paidWei, boundWei: 0n, promise: "P8" });
  });

  const faults: readonly (readonly [fault: string, options: Partial<ScriptedProviderOptions>])[] = [
    ["402 from the provider", { intercept: refuse("WALLET_UNFUNDED") }],
    ["429 from the provider", { intercept: refuse("BUSY", { "retry-after": "1" }) }],
    ["500 from the provider", { intercept: onChat((_, response) => response.writeHead(500).end("oops") !== undefined) }],
    ["503 from the provider", { intercept: refuse("DRAINING", { "retry-after": "1" }) }],
    ["hang: no head of an answer", { intercept: onChat(() => true) }],
    [
      "hang: only comments",
      { chat: ({ response }) => void response.writeHead(200, { "content-type": "text/event-stream" }).write(": hm\n\n") },
    ],
    ["hangs up", { intercept: onChat((request) => request.socket.destroy() !== undefined) }],
    [
      "a page instead of events",
      { intercept: onChat((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>") !== undefined) },
    ],
    [
      "bad JSON",
      {
        chat: says(
          ({ event }) => event("{"),
          ({ done }) => done(),
        ),
      },
    ],
    ["empty stream", { chat: ({ done }) => done() }],
    [
      "only a role, then the end",
      {
        chat: says(
          ({ event }) => event('{"choices":[{"index":0,"delta":{"role":"assistant"}}]}'),
          ({ response }) => response.end(),
        ),
      },
    ],
    [
      "an error event",
      {
        chat: says(
          ({ event }) => event('{"error":{"message":"no","type":"insufficient_quota"}}'),
          ({ response }) => response.end(),
        ),
      },
    ],
    [
      "no session",
      {
        intercept: (request, response) => {
          if (request.url !== "/v1/sessions") return false;
          fail(response, new AppError("INTERNAL", "no"));
          return true;
        },
      },
    ],
  ];
  test.each(faults)("error: %s", async (fault, options) => {
    const broken = await market.provide({ ...options, price: CHEAP });
    const good = await market.provide({ price: DEAR });
    await start();
    const { saw, provider, text } = await ask();
    expect([saw, provider, text]).toEqual(["200 stop", String(good.offer.id), "paid by the second"]);
    expect(good.exchanges).toBe(1);
    await gateway?.gateway.pool.endAll();
    expect(gateway?.gateway.budget.report().heldWei).toBe(0n);
    const { paidWei } = await paidTo(broken.offer.id);
    // Without a session there is no settlement: the clock decides, and this chain's moves two seconds with every transaction.
    const boundWei = fault === "no session" ? CHEAP * 6n : 0n;
    expect(paidWei).toBeLessThanOrEqual(boundWei);
    recordFaultRow({ fault, saw, paidWei, lostWei: paidWei, boundWei, promise: boundWei === 0n ? "P8" : "P3" });
  });
});

describe("after the first word: never a second answer glued to it, never a silent end (P7)", () => {
  test("error: cut after the first word", async () => {
    const broken = await market.provide({
      price: CHEAP,
      chat: async (exchange) => {
        exchange.token("half ");
        await exchange.sign();
        setImmediate(() => exchange.response.destroy());
      },
    });
    const other = await market.provide({ price: DEAR });
    await start();
    const { saw } = await ask();
    expect([saw, other.exchanges]).toEqual(["502 answer_cut", 0]);
    const [open] = gateway?.gateway.pool.list() ?? [];
    const busyMs = open?.cover.busyMs ?? 0;
    await gateway?.gateway.pool.endAll();
    const { paidWei } = await paidTo(broken.offer.id);
    const boundWei = costDown(CHEAP, busyMs + 250);
    expect(paidWei).toBeLessThanOrEqual(boundWei);
    recordFaultRow({ fault: "cut after the first word", saw, paidWei, lostWei: paidWei, boundWei, promise: "P6, P7" });
  });

  const lies: readonly (readonly [fault: string, options: Partial<ScriptedProviderOptions>])[] = [
    [
      "wrong receipt: a minute instead of a moment",
      {
        chat: async (exchange) => {
          exchange.token("true words", "stop");
          exchange.receipt(await exchange.sign({ servedMs: 60_000, cumulativeServedMs: 60_000 }));
          exchange.done();
        },
      },
    ],
    [
      "no receipt",
      {
        chat: ({ token, done }) => {
          token("true words", "stop");
          done();
        },
      },
    ],
  ];
  test.each(lies)("error: %s: the client keeps its answer, the liar its seat no longer", async (fault, options) => {
    const liar = await market.provide({ ...options, price: CHEAP });
    await start();
    const { saw, text } = await ask();
    expect([saw, text]).toEqual(["200 stop", "true words"]);
    expect(gateway?.gateway.experience.of(liar.offer.id)).toMatchObject({ lastFailure: "PROVIDER_DISHONEST" });
    await gateway?.gateway.pool.endAll();
    const { paidWei } = await paidTo(liar.offer.id);
    // The chain never pays more than its clock says, which moves two seconds with every transaction here.
    const boundWei = CHEAP * 6n;
    expect(paidWei).toBeLessThanOrEqual(boundWei);
    recordFaultRow({ fault, saw, paidWei, lostWei: paidWei, boundWei, promise: "P3" });
  });

  test("error: wrong settlement: an hour for a moment, and the clock decides", async () => {
    const owner = devAccounts[1] as LocalAccount;
    const domain = { chainId: market.local.network.chainId, verifyingContract: market.local.network.contracts.streamPay };
    const greedy = await market.provide({
      price: CHEAP,
      intercept: (request, response) => {
        if (request.url !== "/v1/sessions/settle") return false;
        const streamId = BigInt(/token-(\d+)$/.exec(request.headers.authorization ?? "")?.[1] ?? 0);
        const owed = CHEAP * 3_600n;
        void signSettlement(owner, domain, { streamId, owed }).then((signature) => {
          const settlement = { streamId: String(streamId), owed: String(owed), signature };
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ settlement, servedMs: 3_600_000 }));
        });
        return true;
      },
    });
    await start();
    const { saw } = await ask();
    expect(saw).toBe("200 stop");
    await gateway?.gateway.pool.endAll();
    const { paidWei } = await paidTo(greedy.offer.id);
    const boundWei = CHEAP * 6n;
    expect(paidWei).toBeLessThanOrEqual(boundWei);
    recordFaultRow({ fault: "wrong settlement: an hour for a moment", saw, paidWei, lostWei: paidWei, boundWei, promise: "P3" });
  });
});

describe("when it is this side that has nothing to pay with", () => {
  test("error: the limit is used up: 402, a person has to act", async () => {
    await market.provide({ price: CHEAP });
    await start({ spendLimits: { total: CHEAP } });
    const { saw } = await ask();
    expect(saw).toBe("402 budget_exceeded");
    recordFaultRow({ fault: "limit used up", saw, paidWei: 0n, lostWei: 0n, boundWei: 0n, promise: "P14" });
  });

  test("error: the wallet is empty: 402, and no provider is blamed", async () => {
    const provider = await market.provide({ price: CHEAP });
    const poor = privateKeyToAccount(`0x${"5a".repeat(32)}`);
    gateway = await startGateway(market.local, poor, { limits });
    const { saw } = await ask();
    expect(saw).toBe("402 wallet_unfunded");
    expect(gateway.gateway.experience.of(provider.offer.id).failures).toBe(0);
    recordFaultRow({ fault: "wallet empty", saw, paidWei: 0n, lostWei: 0n, boundWei: 0n, promise: "P14" });
  });

  test("error: the chain's endpoint is dead: what is paid goes on, what needs the chain is 503; back again, the stream is settled", async () => {
    const provider = await market.provide({ price: CHEAP });
    const cold = await market.provide({ price: CHEAP, model: "cold" });
    rpc = await startRpcProxy(market.local.rpcUrl);
    const network = { ...market.local.network, rpcUrls: [rpc.url] };
    const account = devAccounts[7] as LocalAccount;
    const sender = market.senderOf(account, connectChain({ ...network, blockTimeMs: 100 }));
    gateway = await startGateway({ ...market.local, network }, account, { limits }, sender);
    expect((await ask()).saw).toBe("200 stop");
    rpc.decide(() => "refuse");
    expect((await ask()).saw).toBe("200 stop");
    const { saw } = await ask({ model: "cold" });
    expect(saw).toBe("503 chain_unavailable, retry-after");
    expect(gateway.gateway.experience.of(cold.offer.id).failures).toBe(0);
    rpc.decide(() => "pass");
    const [open] = gateway.gateway.pool.list();
    await market.local.advance(5);
    await gateway.gateway.pool.endAll();
    const ended = gateway.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === "stream ended");
    expect((await readStream(market.chain, BigInt(open?.cover.id ?? 0))).status).toBe("closed");
    expect(ended).toMatchObject({ providerId: provider.offer.id, servedMs: expect.any(Number) });
    recordFaultRow({
      fault: "RPC dead",
      saw: `paid: 200 stop; unpaid: ${saw}`,
      paidWei: BigInt(ended.paidWei),
      lostWei: 0n,
      boundWei: 0n,
      promise: "P6",
    });
  });
});
