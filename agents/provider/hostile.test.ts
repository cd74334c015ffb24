import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import { listen, steadyClock } from "@clawcompute/lib/node";
import { headers, routes } from "@clawcompute/lib/protocol";
import { openStore, receipts, type Store, sessions, sql } from "@clawcompute/lib/store";
import { devAccounts, type LocalChain, type ScriptedUpstream, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createOpenaiBackend } from "./backends/openai.ts";
import { createPayer, type Payer, readAnswer } from "./testing/payer.ts";
import { startScriptedOllama } from "./testing/scriptedOllama.ts";
import { startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const [, owner, , payerAccount] = devAccounts as readonly LocalAccount[] as [LocalAccount, LocalAccount, LocalAccount, LocalAccount];
const models = ["text", "image", "audio", "embedding"] as const;
const OPERATORS_KEY = "operators-own-key";
let local: LocalChain;
let upstream: ScriptedUpstream;
let store: Store;
let provider: TestProvider;
let payer: Payer;
const tokens: string[] = [];

beforeAll(async () => {
  [local, upstream, store] = await Promise.all([startLocalChain({ blockTimeMs: 250 }), startScriptedOllama(), openStore({})]);
  const backend = () => createOpenaiBackend({ kind: "openai", baseUrl: upstream.origin, apiKey: OPERATORS_KEY, model: "qwen" });
  provider = await startProvider({
    local,
    owner,
    store,
    offers: models.map((model, serviceType) => ({
      model,
      serviceType,
      backend: backend(),
      caps: { contextTokens: 100, outputTokens: 50, promptTokensPerSecond: 1 },
    })),
    limits: { maxBodyBytes: 20_000, bodyMs: 300, attemptsPerMinute: 60, trustedProxies: 1 },
  });
  payer = createPayer(local, payerAccount);
  for (const serviceType of models.keys()) {
    const to = { recipient: owner.address, providerId: provider.providerId(serviceType), seconds: 600, serviceType };
    tokens.push((await payer.session(provider.url, await payer.openStream(to))).token);
  }
});
afterAll(async () => {
  await provider?.stop();
  await store?.close();
  await upstream?.close();
  await local?.stop();
});

/** A caller of its own, as far as the proxy in front can tell. */
let callers = 0;
const asNobodyKnown = () => ({ "x-forwarded-for": `198.51.100.${++callers % 250}` });
const bearer = (index = 0) => ({ authorization: `Bearer ${tokens[index]}` });
const chat = (body: object, more: Record<string, string> = {}) =>
  payer.post(
    `${provider.url}/v1/chat/completions`,
    { model: "text", messages: [{ role: "user", content: "hi" }], ...body },
    { ...bearer(), ...more },
  );
async function refusal(response: Promise<Response>) {
  const answer = await response;
  const { error } = await answer.json();
  return { status: answer.status, code: error.code, param: error.param, facts: error.facts, retryAfter: answer.headers.get("retry-after") };
}
const port = () => Number(new URL(provider.url).port);
function dial(at = port()): Promise<Socket> {
  const socket = connect(at, "127.0.0.1");
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}
function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part) => {
    text += part;
  });
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

describe("slow callers", () => {
  test("error: a head that drips is cut, others are served meanwhile", async () => {
    const listening = await listen(provider.provider.app, { port: 0, host: "127.0.0.1", headersMs: 250 });
    try {
      const slow = await Promise.all(Array.from({ length: 50 }, () => dial(listening.port)));
      const answers = slow.map(readAll);
      for (const socket of slow) socket.write("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n");
      expect((await fetch(`${listening.url}/health`)).status).toBe(200);
      for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^(HTTP\/1.1 408|$)/);
    } finally {
      await listening.close(0);
    }
  });

  test("error: a body that drips is given up, before the engine hears of it", async () => {
    const before = upstream.exchanges.length;
    const socket = await dial();
    const answer = readAll(socket);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${tokens[0]}\r\ncontent-length: 500\r\n\r\n{"model":`,
    );
    expect(await answer).toMatch(/^HTTP\/1.1 408[\s\S]*"body_too_slow"/);
    expect(upstream.exchanges.length).toBe(before);
  });

  test("error: more connections than there may be are closed as they come", async () => {
    const listening = await listen(provider.provider.app, { port: 0, host: "127.0.0.1", maxConnections: 5 });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(listening.port)));
    try {
      let closed = 0;
      for (const socket of sockets) socket.resume().once("close", () => closed++);
      await vi.waitFor(() => expect(closed).toBe(15), { timeout: 20_000, interval: 20 });
    } finally {
      for (const socket of sockets) socket.destroy();
      await listening.close(0);
    }
  });
});

describe("too much", () => {
  test("error: bodies, declared or not, heads, and forms", async () => {
    expect(await refusal(chat({ padding: "x".repeat(30_000) }))).toMatchObject({ status: 413, code: "body_too_large" });
    const undeclared = await dial();
    const refused = readAll(undeclared);
    undeclared.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${tokens[0]}\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    undeclared.write(`8000\r\n${" ".repeat(0x8000)}\r\n`);
    expect(await refused).toMatch(/^HTTP\/1.1 413[\s\S]*"body_too_large"/);
    const socket = await dial();
    const answer = readAll(socket);
    socket.write(`GET /health HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(40_000)}\r\n\r\n`);
    expect(await answer).toMatch(/^HTTP\/1.1 431/);
    const form = new FormData();
    for (let index = 0; index < 40; index += 1) form.append(`f${index}`, "x");
    const many = fetch(`${provider.url}/v1/audio/transcriptions`, { method: "POST", headers: bearer(2), body: form });
    expect(await refusal(many)).toMatchObject({ status: 400, code: "bad_request" });
    const none = fetch(`${provider.url}/v1/audio/transcriptions`, { method: "POST", headers: bearer(2), body: "{}" });
    expect(await refusal(none)).toMatchObject({ status: 400, param: "body" });
  });

  test("error: prompts and answers beyond the offer's caps, and a runway that does not cover the reading", async () => {
    expect(await refusal(chat({ messages: [{ role: "user", content: "word ".repeat(100) }] }))).toMatchObject({
      status: 400,
      code: "context_too_long",
      param: "messages",
      facts: { contextTokens: 100 },
    });
    expect(await refusal(chat({ max_completion_tokens: 51 }))).toMatchObject({
      status: 400,
      code: "output_cap_too_high",
      param: "max_completion_tokens",
      facts: { outputTokens: 50, asked: 51 },
    });
    expect((await chat({})).status).toBe(200);
    expect(JSON.parse(upstream.exchanges.at(-1)?.body ?? "").max_tokens).toBe(50);
    const short = await payer.openStream({ recipient: owner.address, providerId: provider.providerId(), seconds: 30 });
    const { token } = await payer.session(provider.url, short);
    const long = { messages: [{ role: "user", content: "word ".repeat(70) }] };
    const answer = await refusal(chat(long, { authorization: `Bearer ${token}` }));
    expect(answer).toMatchObject({ status: 402, code: "runway_too_short", facts: { minRunwayMs: expect.any(Number) } });
    expect(answer.facts.minRunwayMs).toBeGreaterThan(80_000);
    expect((await chat(long)).status).toBe(200);
  });

  test("error: a picture by URL is not fetched from inside our network", async () => {
    const picture = (url: string) => chat({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] });
    for (const url of ["http://169.254.169.254/latest", "https://example.org/a.png", " file:///etc/passwd"]) {
      expect(await refusal(picture(url))).toMatchObject({ status: 501, code: "unsupported", param: expect.stringContaining("image_url") });
    }
    expect((await picture("data:image/png;base64,AAAA")).status).toBe(200);
  });
});

describe("floods", () => {
  test("error: wrong tokens and worthless proofs are stopped per address, before the store and the chain are asked", async () => {
    const from = asNobodyKnown();
    const guess = () => refusal(chat({}, { ...from, authorization: `Bearer ${"A".repeat(43)}` }));
    const codes: string[] = [];
    for (let count = 0; count < 12; count += 1) codes.push((await guess()).code);
    expect([codes[0], codes.at(-1)]).toEqual(["token_unknown", "rate_limited"]);
    expect(Number((await guess()).retryAfter)).toBeGreaterThanOrEqual(1);
    // Whoever has a good token is served from the same address all the same, and so is everybody elsewhere.
    expect((await chat({}, from)).status).toBe(200);
    expect((await refusal(chat({}, { ...asNobodyKnown(), authorization: `Bearer ${"B".repeat(43)}` }))).code).toBe("token_unknown");
    const proof = await payer.proofOf(123_456n);
    expect(await refusal(payer.post(`${provider.url}/v1/sessions`, proof, from))).toMatchObject({ status: 429, code: "rate_limited" });
    const elsewhere = asNobodyKnown();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => refusal(payer.post(`${provider.url}/v1/sessions`, proof, elsewhere))),
    );
    const counted = answers.filter(({ code }) => code === "stream_unknown").length;
    expect([counted <= 11, answers.every(({ code }) => code === "stream_unknown" || code === "rate_limited")]).toEqual([true, true]);
  });
});

describe("what passes through", () => {
  test("behavior: only what we name goes to the engine, and only what we name comes back (P12)", async () => {
    const marked = {
      cookie: "canary-1",
      "x-api-key": "canary-2",
      "openai-organization": "canary-3",
      forwarded: "for=canary-4",
      "user-agent": "canary-5",
    };
    const answer = await chat({}, marked);
    const sent = upstream.exchanges.at(-1);
    expect(Object.keys(sent?.headers ?? {}).sort()).toEqual(
      ["accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "user-agent"].sort(),
    );
    expect(sent?.headers).toMatchObject({ authorization: `Bearer ${OPERATORS_KEY}`, "user-agent": "clawcompute-provider" });
    expect(JSON.stringify(sent)).not.toMatch(/canary|198\.51/);
    expect(JSON.stringify(sent)).not.toContain(tokens[0]);
    const back = [...answer.headers.keys()].sort();
    expect(back).not.toContain("x-ratelimit-remaining");
    expect(back).not.toContain("server");
    expect(await answer.text()).not.toContain(OPERATORS_KEY);
  });

  test("behavior: browsers may call every route with the headers that SDKs add, and read the receipt", async () => {
    const asked = "authorization,content-type,x-stainless-lang,x-stainless-retry-count,clawcompute-settle";
    for (const { method, path } of Object.values(routes)) {
      const response = await fetch(provider.url + path.replace(/:\w+/, "x"), {
        method: "OPTIONS",
        headers: { origin: "https://page.example", "access-control-request-method": method, "access-control-request-headers": asked },
      });
      expect([path, response.status, response.headers.get("access-control-allow-origin")]).toEqual([path, 204, "*"]);
      expect(response.headers.get("access-control-allow-headers")?.toLowerCase().replaceAll(" ", "")).toBe(asked);
      expect(response.headers.get("access-control-allow-methods")).toContain(method);
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    }
    for (const stream of [false, true]) {
      const answer = await chat({ stream }, { origin: "https://page.example" });
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("access-control-expose-headers")).toContain(headers.receipt);
      await answer.text();
    }
  });

  test("behavior: nothing of what was asked or answered is kept or shown anywhere, and no token either", async () => {
    const canary = "zebra-4711-quagga";
    const ask = (index: number, path: string, body: object) =>
      payer.post(provider.url + path, { model: models[index], ...body }, bearer(index));
    const messages = [{ role: "user", content: canary }];
    await readAnswer(await ask(0, "/v1/chat/completions", { messages, stream: true }));
    const file = new File([canary], `${canary}.wav`);
    const form = new FormData();
    form.append("model", "audio");
    form.append("file", file);
    const answers = [
      await ask(0, "/v1/chat/completions", { messages }),
      await ask(0, "/v1/chat/completions", { messages, max_tokens: canary }),
      await ask(0, "/v1/chat/completions", { messages: [{ role: "user", content: `refuse ${canary}` }], stream: true }),
      await ask(0, "/v1/completions", { prompt: canary }),
      await ask(0, "/v1/completions", { prompt: canary, stream: true }),
      await ask(0, "/v1/responses", { input: canary }),
      await ask(0, "/v1/responses", { input: canary, stream: true }),
      await ask(0, "/inference", { prompt: canary }),
      await ask(1, "/v1/images/generations", { prompt: canary }),
      await ask(2, "/v1/audio/speech", { input: canary, voice: "a" }),
      await fetch(`${provider.url}/v1/audio/transcriptions`, { method: "POST", headers: bearer(2), body: form }),
      await ask(3, "/v1/embeddings", { input: canary }),
      await ask(0, `/v1/${canary}`, { prompt: canary }),
    ];
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, ...Array(9).fill(200), 404]);
    const shown = answers.map((answer) => Buffer.from(answer.headers.get(headers.receipt) ?? "", "base64url").toString()).join("");
    const kept = await Promise.all(
      ["sessions", "meters", "nonces", "receipts", "income_streams", "cursors"].map((table) =>
        store.db.execute(sql.raw(`select * from ${table}`)),
      ),
    );
    const everything = [
      provider.log.join(""),
      await provider.metrics.render(),
      shown,
      JSON.stringify(kept, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
    ];
    for (const text of everything) {
      expect(text).not.toContain(canary);
      for (const token of tokens) expect(text).not.toContain(token);
      expect(text).not.toContain(OPERATORS_KEY);
    }
    expect(everything.every((text) => text.length > 500)).toBe(true);
    expect((await store.db.select().from(receipts)).length).toBeGreaterThanOrEqual(10);
    const hashes = (await store.db.select().from(sessions)).map(({ tokenHash }) => tokenHash);
    expect(hashes).toContain(
      `0x${createHash("sha256")
        .update(tokens[0] as string)
        .digest("hex")}`,
    );
  });
});

describe("rate limits", () => {
  test("behavior: a bucket fills again; tables stay small; who gives back may go on", async () => {
    const { createRateLimit } = await import("./rateLimit.ts");
    let now = 0;
    const limit = createRateLimit({ perMinute: 60, what: "x", clock: { ...steadyClock, now: () => now }, capacity: 100 });
    for (let count = 0; count < 10; count += 1) limit.take("a");
    expect(() => limit.take("a")).toThrow(expect.objectContaining({ code: "RATE_LIMITED", retryAfterSeconds: 1 }));
    limit.take("b");
    now += 1_000;
    limit.take("a");
    expect(() => limit.assertMay("a")).toThrow();
    limit.giveBack("a");
    limit.assertMay("a");
    for (let index = 0; index < 1_000; index += 1) limit.take(`party ${index}`);
    expect(limit.size()).toBe(100);
  });

  test("behavior: one party is one host, whatever address of its network it uses; only our own proxies are believed", async () => {
    const { addressOf, partyOf } = await import("./rateLimit.ts");
    expect(["203.0.113.9", "::ffff:203.0.113.9", "2001:db8:0:7::1", "2001:db8:0:7:9:9:9:9", "::1", "fe80::1%eth0"].map(partyOf)).toEqual([
      "203.0.113.9",
      "203.0.113.9",
      "2001:db8:0:7::/64",
      "2001:db8:0:7::/64",
      "0:0:0:0::/64",
      "fe80:0:0:0::/64",
    ]);
    expect(addressOf("10.0.0.1", "6.6.6.6", 0)).toBe("10.0.0.1");
    expect(addressOf("10.0.0.1", "6.6.6.6, 203.0.113.9", 1)).toBe("203.0.113.9");
    expect(addressOf("10.0.0.1", "nonsense", 1)).toBe("10.0.0.1");
    expect(addressOf("10.0.0.1", "6.6.6.6", 2)).toBe("10.0.0.1");
  });
});
