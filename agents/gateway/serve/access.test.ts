import { createHash } from "node:crypto";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { parseClients } from "../budget/clients.ts";
import { type Market, openMarket } from "../testing/market.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";
import { readServeConfig } from "./config.ts";

vi.setConfig({ hookTimeout: 60_000 });

let market: Market;
let gateway: TestGateway | undefined;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});
afterAll(() => market?.close());

const ask = (headers: Record<string, string>, path = "/v1/models") =>
  new Promise<number>((resolve, reject) => {
    request(`${gateway?.url}${path}`, { headers }, (response) => resolve(response.resume().statusCode ?? 0))
      .on("error", reject)
      .end();
  });

describe("who may spend", () => {
  test("behavior: on this machine any key will do; pages and foreign names will not", async () => {
    gateway = await startGateway(market.local, market.payer, {}, market.sender);
    expect(await ask({})).toBe(200);
    expect(await ask({ authorization: "Bearer local-test" })).toBe(200);
    expect(await ask({ host: `localhost:${gateway.listening.port}` })).toBe(200);
    expect(await ask({ origin: "https://evil.example" })).toBe(403);
    expect(await ask({ origin: "null" })).toBe(403);
    expect(await ask({ host: "evil.example" })).toBe(403);
  });

  test("behavior: allowed origins may, also by preflight", async () => {
    gateway = await startGateway(market.local, market.payer, { access: { origins: ["http://localhost:3000"] } }, market.sender);
    expect(await ask({ origin: "http://localhost:3000" })).toBe(200);
    expect(await ask({ origin: "http://localhost:3001" })).toBe(403);
  });

  test("behavior: with a key or clients' keys nobody else is served, and books are the owner's", async () => {
    const client = { name: "ci", limits: {}, models: undefined, providers: undefined };
    const keySha256 = createHash("sha256").update("ci-key").digest("hex");
    gateway = await startGateway(
      market.local,
      market.payer,
      { access: { token: "0123456789abcdef", clients: [{ client, keySha256 }] } },
      market.sender,
    );
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: "Bearer wrong" })).toBe(401);
    expect(await ask({ authorization: "Bearer ci-key" })).toBe(200);
    expect(await ask({ "x-api-key": "ci-key" })).toBe(200);
    expect(await ask({ authorization: "Bearer ci-key" }, "/gateway/status")).toBe(401);
    expect(await ask({ authorization: "Bearer 0123456789abcdef" }, "/gateway/status")).toBe(200);
  });
});

describe("the owner among clients", () => {
  test("behavior: without a key of its own, a client that is marked as the owner sees the books", async () => {
    const keyOf = (name: string) => createHash("sha256").update(`${name}-key`).digest("hex");
    const clients = parseClients(
      JSON.stringify([
        { name: "ci", keySha256: keyOf("ci") },
        { name: "me", keySha256: keyOf("me"), owner: true },
      ]),
    );
    gateway = await startGateway(market.local, market.payer, { access: { clients } }, market.sender);
    expect(await ask({ authorization: "Bearer ci-key" }, "/gateway/status")).toBe(401);
    expect(await ask({ authorization: "Bearer me-key" }, "/gateway/status")).toBe(200);
  });
});

describe("readServeConfig", () => {
  const read = (env: Record<string, string>) => () => readServeConfig(env, () => "[]");
  test.each([
    ["open to others without a key", { GATEWAY_HOST: "0.0.0.0" }, "GATEWAY_TOKEN"],
    ["a short key", { GATEWAY_HOST: "0.0.0.0", GATEWAY_TOKEN: "short" }, "GATEWAY_TOKEN"],
    ["a file of nobody", { GATEWAY_CLIENTS: "x.json" }, "GATEWAY_CLIENTS"],
    ["a limit that is no amount", { MAX_PER_DAY: "much" }, "MAX_PER_DAY"],
    ["a provider that is no id", { ALLOWED_PROVIDERS: "1,zwei" }, "ALLOWED_PROVIDERS"],
  ])("error: %s", (_, env, param) => {
    expect(read(env)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param }));
  });

  test("behavior: safe defaults", () => {
    expect(readServeConfig({})).toMatchObject({
      host: "127.0.0.1",
      port: 8700,
      limits: { perRequest: 10n ** 16n, perHour: 5n * 10n ** 16n, perDay: 2n * 10n ** 17n, total: 2n * 10n ** 18n },
      maxStreams: 4,
      idleSeconds: 30,
    });
  });
});
