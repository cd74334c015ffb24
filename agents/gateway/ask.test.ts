import { createSender, readStream, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown, worstCaseLoss } from "@clawcompute/lib/money";
import { createRecordingLogger, devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AskResult } from "./ask.ts";
import { type Market, openMarket } from "./testing/market.ts";
import { type Exchange, fail, wholeAnswer } from "./testing/scriptedProvider.ts";

let market: Market;
beforeAll(async () => {
  market = await openMarket();
}, 60_000);
afterEach(() => market.clear());
afterAll(() => market.close());

const stranger = devAccounts[9] as LocalAccount;
const kinds = ({ bill }: AskResult) => bill?.transactions.map(({ kind }) => kind);

/** What holds whatever happened: nothing is open, nothing is unaccounted for, and the wallet agrees with the bill to the wei. */
async function expectClean(run: () => Promise<AskResult>): Promise<AskResult> {
  const { chain, payer } = market;
  const before = await chain.client.getBalance({ address: payer.address });
  const result = await run();
  const after = await chain.client.getBalance({ address: payer.address });
  const bill = result.bill ?? expect.unreachable("every request that opened a stream has a bill");
  expect(bill.paidWei + bill.refundedWei).toBe(bill.depositWei);
  expect(before - after).toBe(bill.paidWei + bill.feeWei);
  for (const { streamId } of bill.transactions) expect((await readStream(chain, streamId)).status).toBe("closed");
  expect(bill.transactions.at(-1)?.kind).toMatch(/settle|cancel/);
  return result;
}

/** What the chain's clock made of the time from the first to the last transaction. */
async function byTheClock({ bill, stream }: AskResult): Promise<bigint> {
  const at = async (hash: `0x${string}`) => {
    const { blockHash } = await market.chain.client.getTransactionReceipt({ hash });
    return (await market.chain.client.getBlock({ blockHash })).timestamp;
  };
  const hashes = bill?.transactions.map(({ hash }) => hash) ?? [];
  return (stream?.ratePerSecond ?? 0n) * ((await at(hashes.at(-1) as `0x${string}`)) - (await at(hashes[0] as `0x${string}`)));
}

function sends(exchange: Exchange, data: string): Exchange {
  exchange.event(data);
  return exchange;
}

function half(exchange: Exchange): Exchange {
  exchange.token("half");
  return exchange;
}

/** A provider that takes its time. */
const held = (exchange: Exchange, afterMs: number) => new Promise<void>((resolve) => setTimeout(resolve, afterMs)).then(() => exchange);

describe("ask: a market full of the dead", () => {
  it("behavior: forty cheaper offers that nobody serves cost nothing and stop no question", async () => {
    const dead = await market.provide({ price: 1_000n });
    const gone = dead.url;
    for (let more = 1; more < 40; more += 1) await market.provide({ price: 1_000n + BigInt(more), endpoint: gone });
    await dead.close();
    const alive = await market.provide({});
    const result = await expectClean(() => market.ask());
    expect([result.failure, result.stream?.offer.id]).toEqual([undefined, alive.offer.id]);
    expect(result.attempts).toHaveLength(40);
    expect(kinds(result)).toEqual(["open", "settle"]);
  }, 60_000);
});

describe("ask: an honest provider", () => {
  it("behavior: a whole answer is paid for exactly the served milliseconds (P6)", async () => {
    await market.provide({ chat: (exchange) => held(exchange, 30).then(wholeAnswer) });
    const pieces: string[] = [];
    const result = await expectClean(() => market.ask({}, { observer: { text: (text) => pieces.push(text) } }));
    expect(result).toMatchObject({
      failure: undefined,
      answer: "paid by the second",
      finishReason: "stop",
      truncated: false,
      attempts: [],
    });
    expect(pieces).toEqual(["paid ", "by the ", "second"]);
    expect(kinds(result)).toEqual(["open", "settle"]);
    const servedMs = result.signed?.receipt.servedMs ?? 0;
    expect(servedMs).toBeGreaterThanOrEqual(29);
    expect(result.servedMs).toBe(servedMs);
    expect(result.bill?.paidWei).toBe(costDown(1_000_000_000_000n, servedMs));
    expect(result.bill?.depositWei).toBe(60_000_000_000_000n);
  });

  it("behavior: prompt, system and model reach the provider as an OpenAI request", async () => {
    const provider = await market.provide({ model: "a/model:8b" });
    await market.ask({ prompt: "why?", system: "be short", model: "a/model:8b" });
    expect(JSON.parse(provider.bodies.at(-1) ?? "")).toEqual({
      model: "a/model:8b",
      messages: [
        { role: "system", content: "be short" },
        { role: "user", content: "why?" },
      ],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("behavior: the cheapest is asked first; an endpoint that names a route works too", async () => {
    const dear = await market.provide({ price: 3_000_000_000_000n });
    const cheap = await market.provide({ price: 2_000_000_000_000n });
    expect((await market.ask()).stream?.offer.id).toBe(cheap.offer.id);
    expect((await market.ask({ providerId: dear.offer.id })).stream?.offer.id).toBe(dear.offer.id);
  });

  it("behavior: a provider that has not seen the block is asked again", async () => {
    const provider = await market.provide({ unseen: 3 });
    const result = await expectClean(() => market.ask());
    expect(result.failure).toBeUndefined();
    expect(provider.calls.filter((call) => call === "POST /v1/sessions")).toHaveLength(4);
  });

  it("behavior: an answer whose deposit ran out is cut, and says so (P7)", async () => {
    await market.provide({
      chat: async (exchange) => {
        exchange.token("half");
        exchange.token("", "length");
        exchange.receipt(await exchange.sign({ reason: "runway" }));
        exchange.done();
      },
    });
    const result = await expectClean(() => market.ask());
    expect(result).toMatchObject({ answer: "half", truncated: true, finishReason: "length" });
    expect(result.failure).toMatchObject({ code: "ANSWER_CUT", message: "The deposit ran out before the answer's end." });
  });
});

describe("ask: nothing is opened", () => {
  it.each([
    ["an unknown model", { model: "nope" }, { code: "NO_PROVIDER", param: "model", facts: { models: ["tiny"] } }],
    ["an unknown provider", { providerId: 4_000_000 }, { code: "NO_PROVIDER", param: "provider" }],
    ["a price above the cap", { maxPrice: 1n }, { code: "PRICE_ABOVE_CAP", param: "max-price" }],
    [
      "a deposit above the limit",
      { maxSpend: 59_000_000_000_000n, exactSeconds: true },
      { code: "DEPOSIT_ABOVE_LIMIT", param: "max-spend" },
    ],
    ["less than five seconds within the limit", { maxSpend: 4_999_999_999_999n }, { code: "DEPOSIT_ABOVE_LIMIT", param: "max-spend" }],
  ])("error: %s", async (_, request, expected) => {
    await market.provide();
    const nonce = await market.chain.client.getTransactionCount({ address: market.payer.address });
    await expect(market.ask(request)).rejects.toMatchObject(expected);
    expect(await market.chain.client.getTransactionCount({ address: market.payer.address })).toBe(nonce);
  });

  it("behavior: with a low limit and no exact time the deposit is shortened to it", async () => {
    await market.provide();
    const result = await expectClean(() => market.ask({ maxSpend: 7_500_000_000_000n }));
    expect(result.bill?.depositWei).toBe(7_000_000_000_000n);
  });

  it.each<[string, Parameters<Market["provide"]>[0], string]>([
    ["nobody listens", { endpoint: "http://127.0.0.1:1" }, "PROVIDER_UNREACHABLE"],
    ["the endpoint is no URL", { endpoint: "nonsense" }, "ENDPOINT_REFUSED"],
    ["it is somebody else's service", { intercept: (_request, response) => plain(response, 200, "<html>") }, "PROVIDER_FAILED"],
    ["it redirects", { intercept: (_request, response) => plain(response, 302, "") }, "PROVIDER_FAILED"],
  ])("error: %s: no money moves", async (_, options, code) => {
    await market.provide(options);
    const nonce = await market.chain.client.getTransactionCount({ address: market.payer.address });
    await expect(market.ask()).rejects.toMatchObject({ code });
    expect(await market.chain.client.getTransactionCount({ address: market.payer.address })).toBe(nonce);
  });
});

function plain(response: import("node:http").ServerResponse, status: number, body: string): true {
  response.writeHead(status, status === 302 ? { location: "http://127.0.0.1:1/" } : {}).end(body);
  return true;
}

describe("ask: the provider fails", () => {
  const limits = { firstTokenMs: 250, stallMs: 150, settleMs: 300 };

  it.each<[string, (exchange: Exchange) => Promise<void> | void, string, string]>([
    ["refuses", ({ response }) => fail(response, new AppError("UPSTREAM_FAILED", "down")), "UPSTREAM_FAILED", ""],
    ["is busy", ({ response }) => fail(response, new AppError("BUSY", "full"), { "retry-after": "60" }), "BUSY", ""],
    ["closes the connection", ({ response }) => void response.destroy(), "PROVIDER_UNREACHABLE", ""],
    ["says nothing", () => {}, "PROVIDER_TIMEOUT", ""],
    ["only keeps alive", (exchange) => keepAlive(exchange), "PROVIDER_TIMEOUT", ""],
    ["ends an empty stream", (exchange) => exchange.done(), "PROVIDER_FAILED", ""],
    ["sends garbage", (exchange) => exchange.event("{not json"), "PROVIDER_FAILED", ""],
    ["answers with a page", ({ response }) => void plain(response, 200, "<html>"), "PROVIDER_FAILED", ""],
    ["reports an error", (exchange) => sends(exchange, '{"error":{"message":"boom","code":500}}').done(), "UPSTREAM_FAILED", ""],
    ["breaks off", (exchange) => void half(exchange).response.end(), "ANSWER_CUT", "half"],
    ["is cut", (exchange) => void held(half(exchange), 30).then(({ response }) => response.destroy()), "ANSWER_CUT", "half"],
    ["stalls", (exchange) => exchange.token("half"), "ANSWER_CUT", "half"],
    [
      "reports an error after its first word",
      (exchange) => void sends(half(exchange), '{"error":{"message":"boom","code":"upstream_failed"}}').response.end(),
      "ANSWER_CUT",
      "half",
    ],
    ["ends without a finish reason", (exchange) => half(exchange).done(), "ANSWER_CUT", "half"],
  ])("error: it %s: it signs what it served, the rest comes back", async (_, chat, code, answer) => {
    await market.provide({ chat });
    const result = await expectClean(() => market.ask({}, { limits }));
    expect(result).toMatchObject({ answer, truncated: true });
    expect(result.failure?.code).toBe(code);
    expect(kinds(result)).toEqual(["open", "settle"]);
    expect(result.bill?.paidWei).toBe(0n);
  });

  it("error: it dies mid-answer and signs nothing: cancelled, paid by the clock", async () => {
    const provider = await market.provide({ chat: (exchange) => exchange.token("half") });
    const result = await expectClean(() => market.ask({}, { limits, observer: { text: () => void provider.close() } }));
    expect(result).toMatchObject({ answer: "half", servedMs: undefined, signed: undefined });
    expect(result.failure?.code).toBe("ANSWER_CUT");
    expect(kinds(result)).toEqual(["open", "cancel"]);
    expect(result.bill?.paidWei).toBe(await byTheClock(result));
  });

  it("error: no session: cancelled within the first-token limit (P3)", async () => {
    await market.provide({ unseen: 1_000_000 });
    const result = await expectClean(() => market.ask({}, { limits }));
    expect(result.failure?.code).toBe("PROVIDER_TIMEOUT");
    expect(kinds(result)).toEqual(["open", "cancel"]);
    expect(result.bill?.paidWei).toBe(await byTheClock(result));
    // Each block of this chain comes two seconds after the one before.
    expect(result.bill?.paidWei).toBeLessThanOrEqual(worstCaseLoss(1_000_000_000_000n, limits.firstTokenMs, 4_000));
  });

  it("behavior: before the first word the next one answers, with the deposit that is there (P8)", async () => {
    const dead = await market.provide({ price: 1_000_000_000_000n, unseen: 1_000_000 });
    const good = await market.provide({ price: 2_000_000_000_000n });
    const result = await expectClean(() => market.ask({}, { limits }));
    expect(result).toMatchObject({ failure: undefined, answer: "paid by the second" });
    expect(result.stream?.offer.id).toBe(good.offer.id);
    expect(result.attempts).toEqual([{ providerId: dead.offer.id, code: "PROVIDER_TIMEOUT" }]);
    expect(kinds(result)).toEqual(["open", "redirect", "settle"]);
    expect(result.bill?.depositWei).toBe(60_000_000_000_000n);
  });

  it("behavior: one that signs that it served nothing is settled first", async () => {
    await market.provide({ chat: ({ response }) => fail(response, new AppError("UPSTREAM_FAILED", "down")) });
    const good = await market.provide({ price: 2_000_000_000_000n });
    const result = await expectClean(() => market.ask());
    expect(result.stream?.offer.id).toBe(good.offer.id);
    expect(kinds(result)).toEqual(["open", "settle", "open", "settle"]);
    expect(result.bill?.paidWei).toBe(costDown(2_000_000_000_000n, result.servedMs ?? -1));
  });

  it("behavior: after the first word no second answer is begun", async () => {
    await market.provide({ chat: (exchange) => void half(exchange).response.end() });
    const other = await market.provide({ price: 2_000_000_000_000n });
    const result = await expectClean(() => market.ask());
    expect(result.answer).toBe("half");
    expect(other.exchanges).toBe(0);
  });

  it("behavior: a request that two providers find at fault is not tried elsewhere", async () => {
    const refuse = ({ response }: Exchange) => fail(response, new AppError("CONTEXT_TOO_LONG", "too long"));
    await market.provide({ chat: refuse });
    await market.provide({ price: 2_000_000_000_000n, chat: refuse });
    const other = await market.provide({ price: 3_000_000_000_000n });
    const result = await expectClean(() => market.ask());
    expect(result.failure?.code).toBe("CONTEXT_TOO_LONG");
    expect(other.exchanges).toBe(0);
    expect(result.bill?.paidWei).toBe(0n);
  });

  it("error: the cheapest provider alone cannot stop a question by blaming it", async () => {
    await market.provide({ chat: ({ response }) => fail(response, new AppError("BAD_REQUEST", "your fault")) });
    const other = await market.provide({ price: 2_000_000_000_000n });
    const result = await expectClean(() => market.ask());
    expect([result.failure, other.exchanges]).toEqual([undefined, 1]);
  });

  it("behavior: what somebody took by the clock before the settlement is told apart from what was served", async () => {
    const keeper = createSender({ chain: market.chain, account: stranger, logger: createRecordingLogger() });
    const mine = { onSent: () => void market.local.mine() };
    await market.provide({
      chat: async (exchange) => {
        await market.local.advance(5);
        await keeper.send(streamPayWrites.batchUpdateStreams([exchange.streamId]), mine);
        await wholeAnswer(exchange);
      },
    });
    const result = await expectClean(() => market.ask());
    const { bill, servedMs = 0, stream } = result;
    expect(result.beyondServedWei).toBe((bill?.paidWei ?? 0n) - costDown(stream?.ratePerSecond ?? 0n, servedMs));
    expect(result.beyondServedWei).toBeGreaterThan(0n);
  });

  it("behavior: at most three are paid for one request", async () => {
    const refuse = ({ response }: Exchange) => fail(response, new AppError("UPSTREAM_FAILED", "down"));
    const providers = [];
    for (let price = 1n; price <= 4n; price += 1n) providers.push(await market.provide({ price: price * 10n ** 12n, chat: refuse }));
    const result = await expectClean(() => market.ask());
    expect(providers.map(({ exchanges }) => exchanges)).toEqual([1, 1, 1, 0]);
    expect(result.attempts).toHaveLength(3);
  });
});

function keepAlive({ response }: Exchange): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const beat = setInterval(() => response.write(": alive\n\n"), 20);
  response.on("close", () => clearInterval(beat));
}

describe("ask: the provider lies", () => {
  it.each<[string, (exchange: Exchange) => Promise<unknown>, string]>([
    ["about the answer", (exchange) => exchange.sign({ bodyHash: `0x${"11".repeat(32)}` }).then(exchange.receipt), "body hash"],
    ["about the stream", (exchange) => exchange.sign({ payment: `0x${"22".repeat(32)}` }).then(exchange.receipt), "another stream"],
    ["about its sums", (exchange) => exchange.sign({ cumulativeAmount: 1n }).then(exchange.receipt), "does not add up"],
    [
      "about the receipts before",
      (exchange) => exchange.sign({ previousReceiptHash: `0x${"33".repeat(32)}` }).then(exchange.receipt),
      "before it",
    ],
    [
      "about the signature",
      async (exchange) => exchange.receipt({ ...(await exchange.sign()), signature: "0x1234" }),
      "not the provider's",
    ],
    ["about the signer", async (exchange) => exchange.receipt({ ...(await exchange.sign()), signer: stranger.address }), "stranger"],
    [
      "by sending two receipts",
      async (exchange) => {
        const signed = await exchange.sign();
        exchange.receipt(signed);
        exchange.receipt(signed);
      },
      "two receipts",
    ],
    ["by sending none", async () => {}, "no receipt"],
  ])("error: %s", async (_, lie, message) => {
    await market.provide({
      chat: async (exchange) => {
        exchange.token("text");
        exchange.token("", "stop");
        await lie(exchange);
        exchange.done();
      },
    });
    const result = await expectClean(() => market.ask());
    expect(result.failure).toMatchObject({ code: "PROVIDER_DISHONEST", message: expect.stringContaining(message) });
    expect(result.answer).toBe("text");
    expect(kinds(result)).toEqual(["open", "settle"]);
  });

  it("error: it claims ten seconds for an instant: found out, and it gets no more than the clock", async () => {
    await market.provide({
      chat: async (exchange) => {
        exchange.token("text", "stop");
        exchange.receipt(await exchange.sign({ servedMs: 10_000 }));
        exchange.done();
      },
    });
    const result = await expectClean(() => market.ask());
    expect(result.failure).toMatchObject({ code: "PROVIDER_DISHONEST", message: "The receipt claims more time than was measured here." });
    expect(result.bill?.paidWei).toBe(await byTheClock(result));
  });

  it("error: a settlement that a stranger signed is never sent", async () => {
    await market.provide({ signer: stranger, owner: (devAccounts[1] as LocalAccount).address });
    const result = await expectClean(() => market.ask());
    expect(result.failure?.code).toBe("PROVIDER_DISHONEST");
    expect(kinds(result)).toEqual(["open", "cancel"]);
    expect(result.bill?.paidWei).toBe(await byTheClock(result));
  });

  it.each([
    ["another rate", { ratePerSecond: "999" }, "names another rate"],
    [
      "another offer",
      { provider: { id: 77, model: "tiny", address: (devAccounts[1] as LocalAccount).address, signer: stranger.address } },
      "another offer",
    ],
    ["an earlier service", { servedMs: 5_000 }, "just opened"],
  ])("error: its session names %s", async (_, change, message) => {
    const owner = (devAccounts[1] as LocalAccount).address;
    const provider = await market.provide({
      intercept: (request, response) => {
        if (request.url !== "/v1/sessions") return false;
        const { id, ratePerSecond } = provider.offer;
        const honest = {
          token: "t".repeat(20),
          expiresAt: 1,
          ratePerSecond: String(ratePerSecond),
          paidUntil: 1,
          runwaySeconds: 60,
          lastReceiptHash: `0x${"00".repeat(32)}`,
          servedMs: 0,
          provider: { id, model: "tiny", address: owner, signer: owner },
        };
        response.writeHead(201).end(JSON.stringify({ ...honest, ...change }));
        return true;
      },
    });
    const result = await expectClean(() => market.ask());
    expect(result.failure).toMatchObject({ code: "PROVIDER_DISHONEST", message: expect.stringContaining(message) });
    expect(provider.exchanges).toBe(0);
  });
});

describe("ask: interrupted", () => {
  it("behavior: mid-answer the connection is closed at once and the stream settled", async () => {
    let gone = () => {};
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    await market.provide({
      chat: (exchange) => {
        exchange.response.on("close", gone);
        exchange.token("half");
      },
    });
    const stop = new AbortController();
    const result = await expectClean(() => market.ask({}, { signal: stop.signal, observer: { text: () => stop.abort() } }));
    await closed;
    expect(result).toMatchObject({ answer: "half", truncated: true });
    expect(result.failure?.code).toBe("ABORTED");
    expect(kinds(result)).toEqual(["open", "settle"]);
  });

  it("behavior: while opening, the opening is followed to its end and the stream ended", async () => {
    const provider = await market.provide();
    const stop = new AbortController();
    const result = await expectClean(() => market.ask({}, { signal: stop.signal, observer: { quote: () => stop.abort() } }));
    expect(result.failure?.code).toBe("ABORTED");
    expect(kinds(result)).toEqual(["open", "cancel"]);
    expect(provider.exchanges).toBe(0);
  });

  it("error: before anything was opened nothing is", async () => {
    await market.provide();
    const stop = new AbortController();
    stop.abort();
    await expect(market.ask({}, { signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});
