import { createLogger, steadyClock } from "@clawcompute/lib/node";
import { type ScriptedUpstream, startScriptedUpstream } from "@clawcompute/lib/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Market, openMarket } from "../testing/market.ts";
import type { ScriptedProvider } from "../testing/scriptedProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";
import { createLocalEngine, type LocalEngineOptions } from "./createLocalEngine.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 20_000 });

const GIB = 1_073_741_824;
let market: Market;
let provider: ScriptedProvider;
let gateway: TestGateway | undefined;
let upstream: ScriptedUpstream | undefined;
beforeAll(async () => {
  market = await openMarket();
  provider = await market.provide();
});
afterEach(async () => {
  await gateway?.stop();
  await upstream?.close();
});
afterAll(() => market?.close());

const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "l", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

async function start(how: "answers" | "breaks" | "hangs" | "refuses" | "slow", options: Partial<LocalEngineOptions> = {}, size = GIB) {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  upstream = await startScriptedUpstream(async ({ path }, response) => {
    if (path === "/v1/models") return void response.end(JSON.stringify({ data: [{ id: "tiny:latest" }] }));
    if (path === "/api/tags") return void response.end(JSON.stringify({ models: [{ name: "tiny:latest", size }] }));
    if (how === "breaks") return void response.writeHead(500).end();
    if (how === "refuses") return void response.writeHead(400).end(JSON.stringify({ error: { message: "too long" } }));
    if (how === "hangs") return;
    if (how === "slow") await released;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`${chunk("from home")}${chunk("", "stop")}data: [DONE]\n\n`);
  });
  const local = createLocalEngine({
    url: `${upstream.origin}/v1`,
    apiKey: undefined,
    policy: "first",
    slots: 2,
    maxBytes: 8 * GIB,
    firstTokenMs: 400,
    raceAfterMs: 30,
    pricePerSecond: 0n,
    clock: steadyClock,
    logger: createLogger({ name: "test", level: "silent" }),
    ...options,
  });
  gateway = await startGateway(market.local, market.payer, { local }, market.sender);
  return release;
}

const answer = async (model = "tiny") => {
  const response = await fetch(`${gateway?.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });
  const body = await response.json();
  return body.error
    ? `${response.status} ${body.error.code}`
    : `${body.clawcompute.provider === "local" ? "local" : "network"}: ${body.choices[0].message.content}`;
};

describe("the own server first (C-009 to C-014, C-079, C-080)", () => {
  test("behavior: it answers what it has, and costs nothing", async () => {
    await start("answers");
    expect(await answer()).toBe("local: from home");
    expect(await answer(`tiny@${provider.offer.id}`)).toBe("network: paid by the second");
    expect(gateway?.gateway.pool.list()).toHaveLength(1);
  });

  test.each(["breaks", "hangs"] as const)("error: when it %s, the network answers", async (how) => {
    await start(how);
    expect(await answer()).toBe("network: paid by the second");
  });

  test("error: what it refuses as the client's fault is not bought elsewhere", async () => {
    await start("refuses");
    expect(await answer()).toBe("400 upstream_refused");
  });

  test("behavior: models that are too large go to the network, and a busy server does", async () => {
    await start("answers", {}, 9 * GIB);
    expect(await answer()).toBe("network: paid by the second");
    await gateway?.stop();
    await upstream?.close();
    const release = await start("slow", { slots: 1, firstTokenMs: 10_000 });
    const first = answer();
    await vi.waitFor(() => expect(upstream?.exchanges.some(({ path }) => path === "/v1/chat/completions")).toBe(true), 20_000);
    expect(await answer()).toBe("network: paid by the second");
    release();
    expect(await first).toBe("local: from home");
  });

  test("behavior: when a usual answer costs a fifth less on the network than at home, it is bought", async () => {
    const price = provider.offer.ratePerSecond;
    await start("answers", { pricePerSecond: price * 2n });
    expect(await answer()).toBe("network: paid by the second");
    await gateway?.stop();
    await upstream?.close();
    await start("answers", { pricePerSecond: price });
    expect(await answer()).toBe("local: from home");
    await gateway?.stop();
    await upstream?.close();
    await start("answers", { pricePerSecond: price * 2n, policy: "only" });
    expect(await answer()).toBe("local: from home");
  });

  test("behavior: in a race the first word wins and the other is cut off", async () => {
    await start("slow", { policy: "race", firstTokenMs: 10_000 });
    expect(await answer()).toBe("network: paid by the second");
    const exchange = upstream?.exchanges.find(({ path }) => path === "/v1/chat/completions");
    await vi.waitFor(() => expect(exchange?.gone.aborted).toBe(true), 20_000);
  });

  test("error: with `only` nothing is ever bought", async () => {
    await start("breaks", { policy: "only" });
    expect(await answer("other")).toBe("503 no_provider");
    expect(await answer()).toMatch(/^50/);
    expect(gateway?.gateway.pool.list()).toEqual([]);
  });
});
