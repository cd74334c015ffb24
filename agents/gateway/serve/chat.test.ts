import { readStream } from "@clawcompute/lib/chain";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import OpenAI from "openai";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../../provider/backends/echo.ts";
import { PRICE, startProvider, type TestProvider } from "../../provider/testing/startProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const [, owner, , , , , wallet] = devAccounts as readonly LocalAccount[] as LocalAccount[];
let local: LocalChain;
let provider: TestProvider;
let gateway: TestGateway;
let openai: OpenAI;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  provider = await startProvider({
    local,
    owner: owner as LocalAccount,
    offers: [{ model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 5 }), maxConcurrency: 16 }],
    limits: { perStream: 16 },
  });
  gateway = await startGateway(local, wallet as LocalAccount, { payBy: "stream" });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await provider?.stop();
  await local?.stop();
});

const messages = [{ role: "user" as const, content: "one two three four five" }];

describe("chat over one stream", () => {
  test("behavior: whole and streamed answers of several clients are paid by one stream, and settled for the time served", async () => {
    const whole = await openai.chat.completions.create({ model: "echo", messages });
    expect(whole.choices[0]).toMatchObject({ message: { content: "one two three four five" }, finish_reason: "stop" });
    expect(whole.usage).toMatchObject({ completion_tokens: 5 });

    const stream = await openai.chat.completions.create({ model: "auto", messages, stream: true, stream_options: { include_usage: true } });
    let text = "";
    let extra: Record<string, unknown> | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      extra = (chunk as { clawcompute?: Record<string, unknown> }).clawcompute ?? extra;
    }
    expect(text).toBe("one two three four five");
    expect(extra).toMatchObject({ provider: String(provider.providerId()), model: "echo", symbol: "ETH" });

    const many = await Promise.all(Array.from({ length: 8 }, () => openai.chat.completions.create({ model: "echo", messages })));
    expect(many.map(({ choices }) => choices[0]?.message.content)).toEqual(Array(8).fill("one two three four five"));

    const [open, ...more] = gateway.gateway.pool.list();
    expect(more).toEqual([]);
    const id = BigInt(open?.cover.id ?? 0);
    const busyMs = open?.cover.busyMs ?? 0;
    // The contract pays no more than its clock says, and blocks four times a second may all carry the opening's second.
    await local.advance(5);
    await gateway.gateway.pool.endAll();
    expect(await readStream(gateway.chain, id)).toMatchObject({ status: "closed" });
    const ended = gateway.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === "stream ended");
    expect(BigInt(ended.paidWei)).toBe((PRICE * BigInt(ended.servedMs)) / 1000n);
    expect(ended.servedMs).toBeLessThanOrEqual(busyMs + 250 * 10);
  });
});
