import type { ServerResponse } from "node:http";
import { AppError } from "@clawcompute/lib/errors";
import { systemClock } from "@clawcompute/lib/node";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { createFakeClock, startScriptedUpstream, type UpstreamExchange } from "@clawcompute/lib/testing";
import { afterEach, describe, expect, test } from "vitest";
import { createGroqBackend } from "./groq.ts";

const never = new AbortController().signal;
const request: ChatRequest = { model: "offer", messages: [{ role: "user", content: "hi" }] };
const apiKey = "gsk_0123456789abcdefghij";
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Answer = (exchange: UpstreamExchange, response: ServerResponse) => void;
async function against(answer: Answer, clock = systemClock) {
  const upstream = await startScriptedUpstream(answer);
  closers.push(upstream.close);
  const timeouts = { firstTokenMs: 10_000, headersMs: 5_000 };
  return {
    upstream,
    backend: createGroqBackend({ kind: "groq", apiKey, model: "llama-3.1-8b-instant", baseURL: upstream.origin, timeouts }, { clock }),
  };
}
async function chat(answer: Answer, signal = never) {
  const { upstream, backend } = await against(answer);
  const chunks: object[] = [];
  const failed = await (async () => {
    for await (const chunk of backend.chat(request, signal)) chunks.push(JSON.parse(chunk));
  })().catch((error: AppError) => error);
  return { upstream, chunks, failed: failed as AppError | undefined };
}

const chunk = (content: string, finish: string | null = null, rest: object = {}) => ({
  id: "g1",
  object: "chat.completion.chunk",
  created: 1,
  model: "llama-3.1-8b-instant",
  system_fingerprint: "fp",
  choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: finish }],
  ...rest,
});
const begin = (response: ServerResponse, ...list: object[]) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of list) response.write(`data: ${JSON.stringify(event)}\n\n`);
};
const usage = { queue_time: 0.1, prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

describe("createGroqBackend", () => {
  test.each(["", "your_groq_api_key", "gsk_your_key_here_000000", "<paste the key here, please>", "gsk_xxxxxxxxxxxxxxxxxxxx", "changeme"])(
    "error: the placeholder %j is refused and not repeated",
    (placeholder) => {
      const refused = expect(() => createGroqBackend({ kind: "groq", apiKey: placeholder, model: "m" }));
      refused.toThrow(
        expect.objectContaining({ code: "CONFIG_INVALID", param: "GROQ_API_KEY", message: "GROQ_API_KEY holds a placeholder." }),
      );
    },
  );

  test("behavior: asks Groq's API under its own name for the model and passes chunks on", async () => {
    const { upstream, chunks } = await chat((_, response) => {
      begin(response, chunk("a", null, { x_groq: { id: "req_1" } }), chunk("b", "stop", { x_groq: { id: "req_1", usage } }));
      response.end("data: [DONE]\n\n");
    });
    expect(upstream.exchanges[0]).toMatchObject({
      method: "POST",
      path: "/openai/v1/chat/completions",
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(JSON.parse(upstream.exchanges[0]?.body ?? "")).toEqual({
      ...request,
      model: "llama-3.1-8b-instant",
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(chunks).toEqual([
      chunk("a", null, { model: "offer" }),
      chunk("b", "stop", { model: "offer" }),
      { id: "g1", object: "chat.completion.chunk", created: 1, model: "offer", choices: [], usage },
    ]);
  });

  test.each<[number, object, Record<string, string>, object]>([
    [400, { error: { message: "bad field", type: "invalid_request_error" } }, {}, { code: "UPSTREAM_REFUSED", message: "bad field" }],
    [400, { error: { message: "Please reduce the length", code: "context_length_exceeded" } }, {}, { code: "CONTEXT_TOO_LONG" }],
    [
      401,
      { error: { message: `Invalid API Key ${apiKey}` } },
      {},
      { code: "UPSTREAM_FAILED", message: expect.not.stringContaining("gsk") },
    ],
    [429, { error: { message: "Rate limit" } }, { "retry-after": "12" }, { code: "BUSY", retryAfterSeconds: 12 }],
    [503, { error: { message: "down" } }, {}, { code: "UPSTREAM_FAILED", retryable: true }],
  ])("error: status %i is not retried here and maps to a code", async (status, body, headers, expected) => {
    const { upstream, failed } = await chat((_, response) => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    });
    expect(failed).toMatchObject(expected);
    expect(upstream.exchanges).toHaveLength(1);
  });

  test.each<[string, (response: ServerResponse) => void, object | undefined]>([
    [
      "an error event",
      (response) => begin(response, chunk("a"), { error: { message: "secret reason", type: "server_error" } }),
      { code: "UPSTREAM_FAILED" },
    ],
    ["a broken socket", (response) => begin(response, chunk("a")) ?? setImmediate(() => response.destroy()), { code: "UPSTREAM_FAILED" }],
    ["an end without a finish_reason", (response) => begin(response, chunk("a")) ?? response.end(), undefined],
  ])("error: in the middle of an answer: %s", async (_, answer, expected) => {
    const { chunks, failed } = await chat((_exchange, response) => answer(response));
    expect(chunks).toEqual([chunk("a", null, { model: "offer" })]);
    if (expected) expect(failed).toMatchObject(expected);
    else expect(failed).toBeUndefined();
    expect(failed?.message ?? "").not.toContain("secret");
  });

  test("error: nobody listens", async () => {
    const backend = createGroqBackend({ kind: "groq", apiKey, model: "m", baseURL: "http://127.0.0.1:1" });
    await expect(backend.chat(request, never)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "UPSTREAM_FAILED",
      retryable: true,
    });
  });

  test("error: an abort closes the connection at once and throws its reason", async () => {
    const { promise, resolve } = Promise.withResolvers<UpstreamExchange>();
    const { backend } = await against((exchange, response) => {
      begin(response, chunk("a"));
      resolve(exchange);
    });
    const leaving = new AbortController();
    const reason = new AppError("CLIENT_GONE", "gone");
    const chunks = backend.chat(request, leaving.signal)[Symbol.asyncIterator]();
    await chunks.next();
    const exchange = await promise;
    const left = new Promise<void>((done) => exchange.gone.addEventListener("abort", () => done()));
    const second = expect(chunks.next()).rejects.toBe(reason);
    leaving.abort(reason);
    await second;
    await left;
  });

  test("error: silence is bounded by the injected clock", async () => {
    const clock = createFakeClock();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { backend } = await against(() => resolve(), clock);
    const first = expect(backend.chat(request, never)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      facts: { limit: "headersMs" },
    });
    await promise;
    await clock.tick(5_000);
    await first;
    expect(clock.sleepers()).toBe(0);
  });

  test.each<[number, string | undefined]>([
    [401, "GROQ_API_KEY"],
    [404, "model"],
  ])("error: check says what is wrong with the configuration (%i)", async (status, param) => {
    const { backend } = await against((_, response) => response.writeHead(status, { "content-type": "application/json" }).end("{}"));
    await expect(backend.check(never)).rejects.toMatchObject({ code: "CONFIG_INVALID", param });
  });
});
