import { devAccounts, type LocalChain, type ScriptedUpstream, startLocalChain } from "@clawcompute/lib/testing";
import OpenAI from "openai";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createOpenaiBackend } from "../../provider/backends/openai.ts";
import { startScriptedOllama } from "../../provider/testing/scriptedOllama.ts";
import { PRICE, startProvider, type TestProvider } from "../../provider/testing/startProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const accounts = devAccounts as readonly LocalAccount[];
const models = ["text", "image", "audio", "embedding"] as const;
let local: LocalChain;
let upstream: ScriptedUpstream;
let provider: TestProvider;
let gateway: TestGateway;
let openai: OpenAI;

beforeAll(async () => {
  [local, upstream] = await Promise.all([startLocalChain({ blockTimeMs: 250 }), startScriptedOllama()]);
  const offers = models.map((model, serviceType) => ({
    model,
    serviceType,
    backend: createOpenaiBackend({ kind: "openai", baseUrl: upstream.origin, model: "qwen" }),
  }));
  provider = await startProvider({ local, owner: accounts[1] as LocalAccount, offers });
  gateway = await startGateway(local, accounts[6] as LocalAccount);
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await provider?.stop();
  await upstream?.close();
  await local?.stop();
});

/** Who answered and what it cost, from the headers; the same is in a JSON body. */
function billOf(response: Response, index: number) {
  const { headers } = response;
  expect(headers.get("clawcompute-provider")).toBe(String(provider.providerId(index)));
  const cost = BigInt(headers.get("clawcompute-cost") ?? -1);
  expect(cost).toBeGreaterThan(0n);
  expect(cost).toBeLessThan(PRICE * 10n);
  return cost;
}

describe("what is answered in one piece", () => {
  test("behavior: images", async () => {
    const { data, response } = await openai.images.generate({ model: "image", prompt: "a cat" }).withResponse();
    expect(data.data?.[0]?.b64_json).toBe("aW1hZ2U=");
    expect(data).toMatchObject({ clawcompute: { model: "image", costWei: String(billOf(response, 1)) } });
  });

  test("behavior: speech: bytes and their type, untouched", async () => {
    const response = await openai.audio.speech.create({ model: "audio", input: "hi", voice: "alloy" });
    expect(response.headers.get("content-type")).toMatch(/^audio\//);
    expect(Buffer.from(await response.arrayBuffer()).length).toBeGreaterThan(0);
    billOf(response, 2);
  });

  test.each(["audio", `audio@1`, "auto"])("behavior: a transcription of a file, asked as %s", async (name) => {
    const asked = name === "audio@1" ? `audio@${provider.providerId(2)}` : name;
    const file = new File([Buffer.from("RIFF sound")], "sound.wav", { type: "audio/wav" });
    const { data, response } = await openai.audio.transcriptions.create({ model: asked, file }).withResponse();
    expect(data.text).toBeTruthy();
    billOf(response, 2);
    const sent = upstream.exchanges.at(-1)?.body ?? "";
    expect(sent).toContain("RIFF sound");
    expect(sent).toContain("qwen");
  });

  test("behavior: embeddings, in base64 and as numbers, over one stream", async () => {
    const packed = await openai.embeddings.create({ model: "embedding", input: ["ab", "abcd"] });
    const plain = await openai.embeddings.create({ model: "embedding", input: ["ab", "abcd"], encoding_format: "float" });
    expect(packed.data.map(({ embedding }) => embedding)).toEqual([
      [2, 0.5, -1],
      [4, 0.5, -1],
    ]);
    expect(plain.data.map(({ embedding }) => embedding)).toEqual(packed.data.map(({ embedding }) => embedding));
    expect(gateway.gateway.pool.list().filter(({ cover }) => cover.offer.model === "embedding")).toHaveLength(1);
  });

  test("behavior: every receipt held", () => {
    const said = gateway.log.map((line) => JSON.parse(line).msg);
    expect(said).not.toContain("a receipt was refused");
  });

  test("error: a form without a file's type, and a body of another kind", async () => {
    const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: "POST", body: "{}" });
    expect([response.status, (await response.json()).error.param]).toEqual([400, "content-type"]);
  });
});
