import type { ServerResponse } from "node:http";
import { AppError } from "@clawcompute/lib/errors";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Market, openMarket } from "../testing/market.ts";
import { type Exchange, fail, type ScriptedProviderOptions, wholeAnswer } from "../testing/scriptedProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 20_000 });

let market: Market;
let gateway: TestGateway | undefined;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await market.clear();
});
afterAll(() => market?.close());

const CHEAP = 1_000_000_000_000n;
const DEAR = 2_000_000_000_000n;
const messages = [{ role: "user" as const, content: "hello" }];
const limits = { firstTokenMs: 900, headersMs: 500, stallMs: 500, settleMs: 500 };

async function start(overrides: Parameters<typeof startGateway>[2] = {}) {
  gateway = await startGateway(market.local, market.payer, { limits, ...overrides }, market.sender);
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
}

const post = (body: object, path = "/v1/chat/completions") =>
  fetch(`${gateway?.url}${path}`, {
    method: "POST",
    body: JSON.stringify({ model: "tiny", messages, ...body }),
    headers: { "content-type": "application/json" },
  });

const opened = () => (gateway?.log ?? []).map((line) => JSON.parse(line)).filter(({ msg }) => msg === "stream opened");

const onChat =
  (answer: NonNullable<ScriptedProviderOptions["intercept"]>): NonNullable<ScriptedProviderOptions["intercept"]> =>
  (request, response, body) =>
    request.url === "/v1/chat/completions" ? answer(request, response, body) : false;

const refuse = (...refusal: Parameters<typeof fail>) => {
  fail(...refusal);
  return true;
};
const broken = (response: ServerResponse) => {
  response.writeHead(500).end("oops");
  return true;
};
describe("before the first word", () => {
  test("behavior: forty cheaper offers that nobody serves stop no question, and cool down", async () => {
    const dead = await market.provide({ price: 1_000n });
    for (let more = 1; more < 40; more += 1) await market.provide({ price: 1_000n + BigInt(more), endpoint: dead.url });
    await dead.close();
    await market.provide({});
    await start();
    expect((await post({})).status).toBe(200);
    expect(opened()).toHaveLength(1);
    expect(gateway?.gateway.experience.of(dead.offer.id)).toMatchObject({ failures: expect.any(Number) });
    expect(gateway?.gateway.experience.of(dead.offer.id).coolUntilMs).toBeGreaterThan(0);
  }, 60_000);

  test("behavior: a provider that has moved is found at its new endpoint", async () => {
    const here = await market.provide();
    const there = await market.provide({ model: "other" });
    await start();
    expect((await fetch(`${gateway?.url}/v1/models`)).status).toBe(200);
    await market.move(here, there);
    await here.close();
    expect((await post({})).status).toBe(200);
  });

  test("error: when nobody answers it is a shortage that passes, never a bill", async () => {
    await market.provide({ intercept: onChat((_, response) => refuse(response, new AppError("STREAM_ENDED", "pay more"))) });
    await start();
    const response = await post({});
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(await response.json()).toMatchObject({ error: { code: "no_provider", type: "service_unavailable" } });
  });

  test("error: a request that is itself at fault goes to nobody else and counts against nobody", async () => {
    const strict = await market.provide({
      price: CHEAP,
      intercept: onChat((_, response) => refuse(response, new AppError("CONTEXT_TOO_LONG", "9000 tokens are too many."))),
    });
    const other = await market.provide({ price: DEAR });
    await start();
    const response = await post({});
    expect([response.status, (await response.json()).error.code, other.exchanges]).toEqual([400, "context_too_long", 0]);
    expect(gateway?.gateway.experience.of(strict.offer.id)).toMatchObject({ failures: 0, coolUntilMs: 0 });
  });

  test("behavior: a stream that is of no use any more is replaced without a word", async () => {
    let refuse = false;
    const provider = await market.provide({
      intercept: onChat((_, response) => {
        if (!refuse) return false;
        refuse = false;
        fail(response, new AppError("STREAM_ENDED", "over"));
        return true;
      }),
    });
    const openai = await start();
    await openai.chat.completions.create({ model: "tiny", messages });
    refuse = true;
    expect((await openai.chat.completions.create({ model: "tiny", messages })).choices[0]?.finish_reason).toBe("stop");
    expect(opened()).toHaveLength(2);
    expect(gateway?.gateway.experience.of(provider.offer.id).failures).toBe(0);
  });

  test("behavior: one that failed rests; when everybody rests the least bad one is tried", async () => {
    let works = false;
    const flaky = await market.provide({
      price: CHEAP,
      intercept: onChat((_, response) => (works ? false : broken(response))),
    });
    const good = await market.provide({ price: DEAR });
    const openai = await start();
    const providerOf = async () =>
      ((await openai.chat.completions.create({ model: "tiny", messages })) as unknown as { clawcompute: { provider: string } }).clawcompute
        .provider;
    expect(await providerOf()).toBe(String(good.offer.id));
    works = true;
    expect(await providerOf()).toBe(String(good.offer.id));
    const seen = gateway?.gateway.experience.of(flaky.offer.id);
    expect(seen).toMatchObject({ inARow: 1 });
    expect((seen?.coolUntilMs ?? 0) - Date.now()).toBeGreaterThan(10_000);
    await good.close();
    expect(await providerOf()).toBe(String(flaky.offer.id));
  });
});

describe("after the first word", () => {
  const cut = ({ token, response }: Exchange) => {
    token("half ");
    token("an ");
    setImmediate(() => response.destroy());
  };

  test("error: a streamed answer that breaks off ends with an error, not with another one's words (P7)", async () => {
    await market.provide({ price: CHEAP, chat: cut });
    const other = await market.provide({ price: DEAR });
    await start();
    const text = await (await post({ stream: true })).text();
    expect(text).toContain("half ");
    expect(text).not.toContain("[DONE]");
    expect(text).toContain('"code":"answer_cut"');
    expect(text).not.toContain("insufficient_quota");
    expect(other.exchanges).toBe(0);
  });

  test("error: an answer in one piece that breaks off is no answer", async () => {
    await market.provide({ chat: cut });
    await start();
    const response = await post({});
    expect([response.status, (await response.json()).error.code]).toEqual([502, "answer_cut"]);
  });

  test("behavior: money that ran out ends it as length, with the bill", async () => {
    await market.provide({
      chat: async (exchange) => {
        exchange.token("as far as it went");
        exchange.token("", "length");
        exchange.receipt(await exchange.sign({ reason: "runway" }));
        exchange.done();
      },
    });
    const openai = await start();
    const stream = await openai.chat.completions.create({ model: "tiny", messages, stream: true });
    const finishes: unknown[] = [];
    for await (const chunk of stream) finishes.push(chunk.choices[0]?.finish_reason);
    expect(finishes.at(-1)).toBe("length");
  });

  test("behavior: the limit for one request cuts it as length", async () => {
    await market.provide({
      chat: async ({ token, response }) => {
        const timer = setInterval(() => token("more "), 20);
        response.once("close", () => clearInterval(timer));
      },
    });
    const openai = await start({ spendLimits: { perRequest: CHEAP / 2n } });
    const answer = await openai.chat.completions.create({ model: "tiny", messages });
    expect(answer.choices[0]?.finish_reason).toBe("length");
    expect(answer.choices[0]?.message.content).toMatch(/^(more )+$/);
  });

  test("error: a receipt that lies costs the provider its place, not the client its answer", async () => {
    const liar = await market.provide({
      chat: async (exchange) => {
        exchange.token("true words", undefined);
        exchange.token("", "stop");
        exchange.receipt(await exchange.sign({ servedMs: 60_000, cumulativeServedMs: 60_000 }));
        exchange.done();
      },
    });
    const openai = await start();
    expect((await openai.chat.completions.create({ model: "tiny", messages })).choices[0]?.message.content).toBe("true words");
    expect(gateway?.gateway.experience.of(liar.offer.id)).toMatchObject({ lastFailure: "PROVIDER_DISHONEST" });
    await vi.waitFor(() => expect(gateway?.gateway.pool.list()).toEqual([]), { timeout: 20_000 });
  });
});

describe("clients that leave, wait or repeat", () => {
  test("behavior: upstream is told within a second when the client goes (P9)", async () => {
    let closedAt = 0;
    let startedAt = 0;
    await market.provide({
      chat: ({ token, response }) => {
        token("one");
        startedAt = Date.now();
        response.once("close", () => {
          closedAt = Date.now();
        });
      },
    });
    await start({ limits: { ...limits, stallMs: 10_000 } });
    const leaving = new AbortController();
    const response = await fetch(`${gateway?.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "tiny", messages, stream: true }),
      signal: leaving.signal,
    });
    await response.body?.getReader().read();
    const leftAt = Date.now();
    leaving.abort();
    await vi.waitFor(() => expect(closedAt).toBeGreaterThan(0), 20_000);
    expect(startedAt).toBeGreaterThan(0);
    expect(closedAt - leftAt).toBeLessThan(1_000);
    await vi.waitFor(
      async () => expect(await gateway?.metrics.render()).toContain("clawcompute_gateway_disconnect_seconds_count 1"),
      20_000,
    );
  });

  test("behavior: while the first word is awaited there are signs of life, as comments or empty pieces", async () => {
    let answer = () => {};
    const waiting = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await market.provide({
      chat: async (exchange) => {
        await waiting;
        await wholeAnswer(exchange);
      },
    });
    await start({ serve: { heartbeatMs: 40 }, limits: { ...limits, firstTokenMs: 10_000, headersMs: 10_000 } });
    const response = await post({ stream: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^: /);
    answer();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += new TextDecoder().decode(part.value);
    expect(rest).toContain("[DONE]");
  });

  test("behavior: a retry that says so gets the same answer and nothing is paid twice (P8)", async () => {
    const provider = await market.provide();
    await start();
    const send = (retry: string, body: object = {}) =>
      fetch(`${gateway?.url}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify({ model: "tiny", messages, stream: true, ...body }),
        headers: { "idempotency-key": "k1", "x-stainless-retry-count": retry },
      });
    const [first, second] = await Promise.all([send("0"), send("1")].map(async (response) => (await response).text()));
    expect(second).toBe(first);
    expect(await (await send("2")).text()).toBe(first);
    expect(provider.exchanges).toBe(1);
    const other = await send("0", { temperature: 1 });
    expect([other.status, (await other.json()).error.code]).toEqual([409, "idempotency_conflict"]);
  });
});

describe("restart (P10)", () => {
  test("behavior: streams that a dead gateway left open are ended by the next one, from the chain alone", async () => {
    await market.provide();
    const openai = await start();
    await openai.chat.completions.create({ model: "tiny", messages });
    const [left] = gateway?.gateway.pool.list() ?? [];
    await gateway?.die();
    await start();
    await gateway?.gateway.recovered;
    const { readStream } = await import("@clawcompute/lib/chain");
    expect((await readStream(market.chain, BigInt(left?.cover.id ?? 0))).status).toBe("closed");
    expect(gateway?.gateway.budget.report().heldWei).toBe(0n);
  });
});
