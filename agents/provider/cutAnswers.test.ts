import { decodeSignedReceipt, headers, type SseEvent } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Backend } from "./backends/backend.ts";
import { createEchoBackend } from "./backends/echo.ts";
import { createPayer, eventsOf, type Payer } from "./testing/payer.ts";
import { startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const owner = devAccounts[1] as LocalAccount;
let local: LocalChain;
let provider: TestProvider;
let payer: Payer;
let begun = Promise.withResolvers<void>();

/** The engine works until it is stopped. */
function forEver(signal: AbortSignal): Promise<never> {
  begun.resolve();
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

const event = (type: string, more: object): SseEvent => ({ event: type, data: JSON.stringify({ type, ...more }) });

const engine: Backend = {
  ...createEchoBackend({ kind: "echo" }),
  async *responses(_, signal) {
    const response = { id: "r", object: "response", status: "in_progress", output: [] };
    yield event("response.created", { sequence_number: 0, response });
    yield event("response.output_text.delta", { sequence_number: 1, output_index: 0, delta: "half an " });
    await forEver(signal);
  },
  images: (_, signal) => forEver(signal),
  embeddings: (_, signal) => forEver(signal),
  speech: (_, signal) => forEver(signal),
  transcription: (_, signal) => forEver(signal),
};

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  const offers = ["text", "image", "audio", "embedding"].map((model, serviceType) => ({ model, serviceType, backend: engine }));
  provider = await startProvider({ local, owner, offers });
  payer = createPayer(local, devAccounts[3] as LocalAccount);
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

async function open(offer: number, seconds = 60) {
  begun = Promise.withResolvers();
  const streamId = await payer.openStream({
    recipient: owner.address,
    providerId: provider.providerId(offer),
    seconds,
    serviceType: offer,
  });
  return { streamId, ...(await payer.session(provider.url, streamId)) };
}

const ends = [
  ["is cancelled", "cancelled", 60, (streamId: bigint) => payer.cancel(streamId)],
  ["runs dry", "runway", 10, () => local.advance(60)],
] as const;

describe.each(ends)("the money %s in the middle", (_, reason, seconds, end) => {
  const post = (path: string, token: string, body: object) =>
    payer.post(`${provider.url}${path}`, body, { authorization: `Bearer ${token}` });

  test("behavior: of a streamed response: it ends as incomplete, with what was said, and never as completed (P7)", async () => {
    const { streamId, token } = await open(0, seconds);
    const response = await post("/v1/responses", token, { model: "text", input: "x", stream: true });
    const events = eventsOf(response);
    await begun.promise;
    await end(streamId);
    const seen: { type: string; response?: object; clawcompute?: unknown }[] = [];
    for await (const { data, comment } of events) if (comment === undefined) seen.push(JSON.parse(data));
    expect(seen.map(({ type }) => type)).toEqual(["response.created", "response.output_text.delta", "response.incomplete", "keepalive"]);
    expect(seen[2]?.response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ status: "incomplete", content: [{ text: "half an " }] }],
    });
    expect(decodeSignedReceipt(seen[3]?.clawcompute).receipt.reason).toBe(reason);
  });

  test("behavior: of a response in one piece: incomplete too (P7)", async () => {
    const { streamId, token } = await open(0, seconds);
    const asked = post("/v1/responses", token, { model: "text", input: "x" });
    await begun.promise;
    await end(streamId);
    const response = await asked;
    expect([response.status, await response.json()]).toMatchObject([200, { status: "incomplete", output: [{ status: "incomplete" }] }]);
    expect(receiptOf(response).reason).toBe(reason);
  });

  test.each([
    ["an image", 1, "/v1/images/generations", { model: "image", prompt: "x" }],
    ["speech", 2, "/v1/audio/speech", { model: "audio", input: "x", voice: "alloy" }],
    ["embeddings", 3, "/v1/embeddings", { model: "embedding", input: "x" }],
  ] as const)("error: of %s: no part of it is of use, so it is 402, with the receipt", async (_, offer, path, body) => {
    const { streamId, token } = await open(offer, seconds);
    const asked = post(path, token, body);
    await begun.promise;
    await end(streamId);
    await assertNothing(await asked, reason);
  });

  test("error: of a transcription: the same", async () => {
    const { streamId, token } = await open(2, seconds);
    const form = new FormData();
    form.set("model", "audio");
    form.set("file", new File(["RIFF"], "a.wav", { type: "audio/wav" }));
    const authorization = `Bearer ${token}`;
    const asked = fetch(`${provider.url}/v1/audio/transcriptions`, { method: "POST", body: form, headers: { authorization } });
    await begun.promise;
    await end(streamId);
    await assertNothing(await asked, reason);
  });
});

const receiptOf = (response: Response) =>
  decodeSignedReceipt(JSON.parse(Buffer.from(response.headers.get(headers.receipt) ?? "", "base64url").toString())).receipt;

async function assertNothing(response: Response, reason: string): Promise<void> {
  const code = reason === "runway" ? "runway_too_short" : "stream_ended";
  expect([response.status, (await response.json()).error.code]).toEqual([402, code]);
  const receipt = receiptOf(response);
  expect([receipt.reason, receipt.unitsOut]).toEqual([reason, 0]);
  // Work was done until the money went.
  expect(receipt.servedMs).toBeLessThanOrEqual(receipt.endedAtMs - receipt.startedAtMs);
}
