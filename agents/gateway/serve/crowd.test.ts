import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import OpenAI from "openai";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../../provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../../provider/testing/startProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const accounts = devAccounts as readonly LocalAccount[];
let local: LocalChain;
let provider: TestProvider;
let gateway: TestGateway;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  // Four answers at once over one stream, as providers allow by default.
  provider = await startProvider({
    local,
    owner: accounts[1] as LocalAccount,
    offers: [
      { model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 2 }) },
      { model: "vectors", backend: createEchoBackend({ kind: "echo" }), serviceType: 3 },
    ],
  });
  gateway = await startGateway(local, accounts[6] as LocalAccount);
});
afterAll(async () => {
  await gateway?.stop();
  await provider?.stop();
  await local?.stop();
});

describe("a hundred clients at once, of a provider that takes four", () => {
  test("behavior: all of them are answered, without a retry, over one stream", async () => {
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "one two three" }];
    const answers = await Promise.all(Array.from({ length: 100 }, () => openai.chat.completions.create({ model: "echo", messages })));
    expect(answers.map(({ choices }) => choices[0]?.message.content)).toEqual(Array(100).fill("one two three"));
    expect(gateway.gateway.pool.list()).toHaveLength(1);
    expect(gateway.gateway.experience.of(provider.providerId())).toMatchObject({ answers: 100, failures: 0 });
  });

  test("behavior: so are requests that are answered in one piece", async () => {
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => openai.embeddings.create({ model: "vectors", input: "x" })));
    expect(new Set(answers.map(({ data }) => data.length))).toEqual(new Set([1]));
  });
});
