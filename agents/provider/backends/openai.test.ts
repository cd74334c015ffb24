import type { ServerResponse } from "node:http";
import { AppError } from "@clawcompute/lib/errors";
import { systemClock } from "@clawcompute/lib/node";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { createFakeClock, startScriptedUpstream, type UpstreamExchange } from "@clawcompute/lib/testing";
import { afterEach, describe, expect, test } from "vitest";
import { createOpenaiBackend, type OpenaiConfig } from "./openai.ts";

const never = new AbortController().signal;
const request: ChatRequest = { model: "offer", messages: [{ role: "user", content: "hi" }], temperature: 0.5 };
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Answer = (exchange: UpstreamExchange, response: ServerResponse) => void | Promise<void>;

async function against(answer: Answer, rest: Partial<OpenaiConfig> = {}, clock = systemClock) {
  const upstream = await startScriptedUpstream(answer);
  const backend = createOpenaiBackend({ kind: "openai", baseUrl: upstream.origin, ...rest }, { clock });
  closers.push(upstream.close, backend.close);
  return { upstream, backend };
}

async function chat(answer: Answer, rest: Partial<OpenaiConfig> = {}, signal = never) {
  const { upstream, backend } = await against(answer, rest);
  const chunks: unknown[] = [];
  const failed = await (async () => {
    for await (const chunk of backend.chat(request, signal)) chunks.push(JSON.parse(chunk));
  })().catch((error: AppError) => error);
  return { upstream, chunks, failed: failed as AppError | undefined };
}

/** Answers with these events; an object is sent as JSON. */
const events =
  (...list: (object | string)[]): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(list.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join(""));
  };
const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(typeof body === "string" ? body : JSON.stringify(body));
  };
const text = (content: string | null, finish: string | null = null) => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "offer",
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const usageChunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "offer", choices: [], usage };

describe("what is sent", () => {
  test("behavior: asks for a stream with usage under the server's name for the model, and sends only headers of its own", async () => {
    const { upstream } = await chat(events(text("a", "stop"), "[DONE]"), { model: "llama3.2", apiKey: "secret-key" });
    const [exchange] = upstream.exchanges;
    expect(exchange?.path).toBe("/v1/chat/completions");
    expect(JSON.parse(exchange?.body ?? "")).toEqual({
      ...request,
      model: "llama3.2",
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(Object.keys(exchange?.headers ?? {}).sort()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ]);
    expect(exchange?.headers.authorization).toBe("Bearer secret-key");
  });

  test.each([
    ["", "/v1/chat/completions"],
    ["/", "/v1/chat/completions"],
    ["/v1/", "/v1/chat/completions"],
    ["/openai/v1", "/openai/v1/chat/completions"],
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/deployments/x?api-version=2", "/deployments/x/chat/completions?api-version=2"],
  ])("behavior: base URL …%s means %s", async (path, expected) => {
    const upstream = await startScriptedUpstream(events(text("a", "stop"), "[DONE]"));
    const backend = createOpenaiBackend({ kind: "openai", baseUrl: `${upstream.origin}${path}` });
    closers.push(upstream.close, backend.close);
    for await (const _ of backend.chat(request, never));
    expect(upstream.exchanges[0]?.path).toBe(expected);
  });

  test.each(["ftp://127.0.0.1/v1", "file:///etc/passwd", "127.0.0.1:11434", "http://user:secret-word@127.0.0.1/v1"])(
    "error: base URL %s is refused and not repeated",
    (baseUrl) => {
      const refused = expect(() => createOpenaiBackend({ kind: "openai", baseUrl }));
      refused.toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: "baseUrl" }));
      refused.toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret-word") }));
    },
  );

  test("behavior: uses a connection again after [DONE]", async () => {
    const { upstream, backend } = await against(events(text("a", "stop"), "[DONE]"));
    for (let round = 0; round < 5; round++) {
      for await (const _ of backend.chat(request, never));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(upstream.exchanges).toHaveLength(5);
    expect(upstream.connections()).toBeLessThan(5);
  });

  test("behavior: a kept connection that was closed meanwhile is replaced, once", async () => {
    let calls = 0;
    const { upstream, backend } = await against((exchange, response) => {
      if (++calls === 2) response.socket?.resetAndDestroy();
      else events(text("a", "stop"), "[DONE]")(exchange, response);
    });
    for (let round = 0; round < 2; round++) {
      for await (const _ of backend.chat(request, never));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(upstream.exchanges).toHaveLength(3);
    expect(upstream.connections()).toBe(2);
  });

  test("behavior: a server that refuses to be asked for usage is asked without, from then on", async () => {
    const { upstream, backend } = await against((exchange, response) =>
      exchange.body.includes("stream_options")
        ? json(422, { detail: [{ loc: ["body", "stream_options"], msg: "extra fields not permitted" }] })(exchange, response)
        : events(text("a", "stop"), "[DONE]")(exchange, response),
    );
    for (let round = 0; round < 2; round++) for await (const _ of backend.chat(request, never));
    expect(upstream.exchanges.map(({ body }) => body.includes("stream_options"))).toEqual([true, false, false]);
  });
});

describe("what servers do differently", () => {
  test("behavior: an event that needs no change passes as it came", async () => {
    const odd = '{ "id":"c1", "model":"offer", "timings":{"x":1}, "choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}] }';
    const { backend } = await against(events(odd, "[DONE]"));
    const chunks: string[] = [];
    for await (const chunk of backend.chat(request, never)) chunks.push(chunk);
    expect(chunks).toEqual([odd]);
  });

  test("behavior: null deltas, null choices, null content and empty chunks", async () => {
    const nullDelta = { ...text("x"), choices: [{ index: 0, delta: null, finish_reason: "stop" }] };
    const { chunks } = await chat(
      events({ ...text("x"), choices: null }, { ...text("x"), choices: [] }, text(null), text("a"), nullDelta, "[DONE]"),
    );
    expect(chunks).toEqual([text(null), text("a"), { ...nullDelta, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }]);
  });

  test.each([
    ["in an empty last chunk", [text("a", "stop"), usageChunk]],
    ["beside the finish_reason", [{ ...text("a", "stop"), usage }]],
    [
      "in every chunk",
      [
        { ...text("a", "stop"), usage: { prompt_tokens: 3 } },
        { ...usageChunk, choices: [], usage },
      ],
    ],
    ["in Groq's own field", [{ ...text("a", "stop"), x_groq: { id: "req", usage } }]],
  ])("behavior: usage %s comes once, at the end", async (_, sent) => {
    const { chunks } = await chat(events(...sent, "[DONE]"));
    expect(chunks).toEqual([text("a", "stop"), usageChunk]);
  });

  test("behavior: the server's own name of the model does not go out", async () => {
    const { chunks } = await chat(events({ ...text("a", "stop"), model: "/models/private/path.gguf" }, "[DONE]"));
    expect(JSON.stringify(chunks)).not.toContain("private");
    expect(chunks).toEqual([text("a", "stop")]);
  });

  test("behavior: comments, CRLF, no space after the colon, and no [DONE] at all", async () => {
    const { chunks, failed } = await chat((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      response.end(`: PROCESSING\r\n\r\ndata:${JSON.stringify(text("a"))}\r\n\r\ndata:${JSON.stringify(text("b", "stop"))}\r\n\r\n`);
    });
    expect({ chunks, failed }).toEqual({ chunks: [text("a"), text("b", "stop")], failed: undefined });
  });

  test("behavior: [DONE] without a finish_reason ends without one: it was cut", async () => {
    const { chunks, failed } = await chat(events(text("a"), usageChunk, "[DONE]"));
    expect({ chunks, failed }).toEqual({ chunks: [text("a")], failed: undefined });
  });

  test("behavior: a server that does not stream: its answer becomes chunks", async () => {
    const call = { id: "call1", type: "function", function: { name: "f", arguments: "{}" } };
    const message = { role: "assistant", content: "hello", tool_calls: [call] };
    const answer = {
      id: "c1",
      object: "chat.completion",
      created: 1,
      model: "x",
      choices: [{ index: 0, message, finish_reason: "tool_calls" }],
      usage,
    };
    const { chunks } = await chat(json(200, answer));
    const common = { id: "c1", object: "chat.completion.chunk", created: 1, model: "offer" };
    expect(chunks).toEqual([
      { ...common, choices: [{ index: 0, delta: { ...message, tool_calls: [{ index: 0, ...call }] }, finish_reason: null }] },
      { ...common, choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
      usageChunk,
    ]);
  });

  test("behavior: several answers at once (n) are finished when each is", async () => {
    const second = { ...text("b"), choices: [{ index: 1, delta: { content: "b" }, finish_reason: null }] };
    const { chunks } = await chat(events(text("a"), second, text("", "stop"), usageChunk, "[DONE]"));
    expect(chunks).toHaveLength(3);
  });
});

describe("refusals and failures", () => {
  const openaiError = (message: string, rest: object = {}) => ({ error: { message, type: "invalid_request_error", param: null, ...rest } });
  test.each<[string, number, unknown, Record<string, string>, object]>([
    ["OpenAI's shape", 400, openaiError("bad temperature", { code: "x1" }), {}, { code: "UPSTREAM_REFUSED", message: "bad temperature" }],
    [
      "a numeric code",
      400,
      openaiError("bad", { code: 400 }),
      {},
      { code: "UPSTREAM_REFUSED", facts: { upstreamStatus: 400, upstreamCode: "400" } },
    ],
    ["Ollama's shape", 404, { error: "model 'x' not found" }, {}, { code: "UPSTREAM_REFUSED", message: "model 'x' not found" }],
    [
      "FastAPI's shape",
      422,
      { detail: [{ msg: "field required" }] },
      {},
      { code: "UPSTREAM_REFUSED", message: '[{"msg":"field required"}]' },
    ],
    ["older vLLM's shape", 400, { object: "error", message: "no", code: 40001 }, {}, { code: "UPSTREAM_REFUSED", message: "no" }],
    ["plain text", 400, "no such thing", {}, { code: "UPSTREAM_REFUSED", message: "no such thing" }],
    ["no body", 400, "", {}, { code: "UPSTREAM_REFUSED", message: expect.stringContaining("without a reason") }],
    [
      "context overflow by code",
      400,
      openaiError("too many", { code: "context_length_exceeded" }),
      {},
      { code: "CONTEXT_TOO_LONG", param: "messages" },
    ],
    ["context overflow by type", 400, openaiError("too many", { type: "exceed_context_size_error" }), {}, { code: "CONTEXT_TOO_LONG" }],
    [
      "context overflow in words",
      400,
      { object: "error", message: "This model's maximum context length is 4096 tokens." },
      {},
      { code: "CONTEXT_TOO_LONG" },
    ],
    [
      "a wrong key",
      401,
      openaiError("Incorrect API key provided: sk-12345678"),
      {},
      { code: "UPSTREAM_FAILED", message: expect.not.stringContaining("sk-") },
    ],
    [
      "no credit",
      402,
      openaiError("buy credits at https://pay.example"),
      {},
      { code: "UPSTREAM_FAILED", message: expect.not.stringContaining("credits") },
    ],
    ["forbidden", 403, "nginx", {}, { code: "UPSTREAM_FAILED" }],
    ["too many requests", 429, openaiError("slow down"), { "retry-after": "7" }, { code: "BUSY", retryAfterSeconds: 7 }],
    ["an absurd retry-after", 429, "", { "retry-after": "999999" }, { code: "BUSY", retryAfterSeconds: 300 }],
    [
      "a crash",
      500,
      "Traceback (most recent call last)",
      {},
      { code: "UPSTREAM_FAILED", message: expect.not.stringContaining("Traceback") },
    ],
    [
      "still loading",
      503,
      { error: { code: 503, message: "Loading model" } },
      {},
      { code: "UPSTREAM_FAILED", retryable: true, retryAfterSeconds: 5 },
    ],
    ["a slow proxy", 504, "<html>", {}, { code: "UPSTREAM_TIMEOUT" }],
    ["a redirect, which is not followed", 302, "", { location: "http://169.254.169.254/" }, { code: "UPSTREAM_FAILED" }],
    ["an error with status 200", 200, { error: { code: 429, message: "later" } }, {}, { code: "BUSY" }],
    ["something else with status 200", 200, { hello: 1 }, {}, { code: "UPSTREAM_FAILED" }],
    ["nonsense with status 200", 200, "[1,2", {}, { code: "UPSTREAM_FAILED" }],
  ])("error: %s", async (_, status, body, headers, expected) => {
    const { chunks, failed } = await chat(json(status, body, headers));
    expect(chunks).toEqual([]);
    expect(failed).toMatchObject(expected);
  });

  test("error: keys and addresses in a reason are taken out, and it is bounded", async () => {
    const reason = `see https://internal.host/x?y=1 key my-very-own-key and gsk_abcdefghijkl\n\n${"long ".repeat(500)}`;
    const { failed } = await chat(json(400, openaiError(reason)), { apiKey: "my-very-own-key" });
    expect(failed?.message).toMatch(/^see \[address\] key \[key\] and \[key\] long/);
    expect(failed?.message.length).toBeLessThanOrEqual(500);
  });

  test("error: an error body without end does not fill the memory", async () => {
    const { failed } = await chat((_, response) => {
      response.writeHead(400, { "content-type": "text/plain" });
      response.write("x".repeat(200_000));
    });
    expect(failed).toMatchObject({ code: "UPSTREAM_REFUSED" });
  });

  test.each<[string, Answer, object]>([
    [
      "an error event",
      events(text("a"), { error: { message: "prompt was: hi", code: "boom" } }),
      { code: "UPSTREAM_FAILED", facts: { upstreamCode: "boom" } },
    ],
    ["an error event with a status", events(text("a"), { error: { message: "later", code: 429 } }), { code: "BUSY" }],
    [
      "an event named error",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(
          `data: ${JSON.stringify(text("a"))}\n\nevent: error\ndata: {"error":"Input validation","error_type":"validation"}\n\n`,
        );
      },
      { code: "UPSTREAM_FAILED", facts: { upstreamCode: "validation" } },
    ],
    ["an event that is not JSON", events(text("a"), "{oops"), { code: "UPSTREAM_FAILED" }],
    ["an event that is not an answer", events(text("a"), { choices: "many" }), { code: "UPSTREAM_FAILED" }],
    [
      "a socket that breaks",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`data: ${JSON.stringify(text("a"))}\n\n`, () => response.destroy());
      },
      { code: "UPSTREAM_FAILED", facts: { upstreamCode: "ECONNRESET" } },
    ],
    [
      "an event without end",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`data: ${JSON.stringify(text("a"))}\n\n`);
        response.write(`data: ${"x".repeat(1_200_000)}`);
      },
      { code: "UPSTREAM_FAILED", message: expect.stringContaining("too large") },
    ],
  ])("error: in the middle of an answer: %s", async (_, answer, expected) => {
    const { chunks, failed } = await chat(answer);
    expect(chunks).toEqual([text("a")]);
    expect(failed).toMatchObject(expected);
    expect(failed?.message).not.toContain("prompt was");
  });

  test("behavior: what breaks after the finish_reason changes nothing", async () => {
    const { chunks, failed } = await chat((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(text("a", "stop"))}\n\n`, () => response.destroy());
    });
    expect({ chunks, failed }).toEqual({ chunks: [text("a", "stop")], failed: undefined });
  });

  test("error: nobody listens", async () => {
    const { upstream, backend } = await against(json(200, {}));
    await upstream.close();
    closers.shift();
    const failed = await backend
      .chat(request, never)
      [Symbol.asyncIterator]()
      .next()
      .catch((error: AppError) => error);
    expect(failed).toMatchObject({ code: "UPSTREAM_FAILED", retryable: true, facts: { upstreamCode: "ECONNREFUSED" } });
  });
});

describe("time limits and leaving", () => {
  const slow = (begin: Answer): { answer: Answer; arrived: Promise<UpstreamExchange> } => {
    const { promise, resolve } = Promise.withResolvers<UpstreamExchange>();
    return {
      arrived: promise,
      answer: async (exchange, response) => {
        await begin(exchange, response);
        resolve(exchange);
      },
    };
  };
  const started: Answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": keep-alive\n\n");
  };
  const oneToken: Answer = (exchange, response) => {
    started(exchange, response);
    response.write(`data: ${JSON.stringify(text("a"))}\n\n`);
  };
  const gone = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));

  test.each<[string, Answer, number, string]>([
    ["no headers", () => {}, 20_000, "headersMs"],
    ["headers but no token", started, 10_000, "firstTokenMs"],
  ])("error: %s within the limit: the connection is closed", async (_, begin, ms, limit) => {
    const clock = createFakeClock();
    const { answer, arrived } = slow(begin);
    const { backend } = await against(
      answer,
      { timeouts: { connectMs: 1_000, headersMs: 20_000, firstTokenMs: limit === "headersMs" ? 99_000 : 10_000, stallMs: 15_000 } },
      clock,
    );
    const first = backend
      .chat(request, never)
      [Symbol.asyncIterator]()
      .next()
      .catch((error: AppError) => error);
    const exchange = await arrived;
    const left = gone(exchange.gone);
    await clock.tick(ms);
    expect(await first).toMatchObject({ code: "UPSTREAM_TIMEOUT", facts: { limit, ms } });
    await left;
  });

  test("error: silence after the first token", async () => {
    const clock = createFakeClock();
    const { answer, arrived } = slow(oneToken);
    const { backend } = await against(answer, { timeouts: { stallMs: 4_000 } }, clock);
    const chunks = backend.chat(request, never)[Symbol.asyncIterator]();
    expect((await chunks.next()).done).toBe(false);
    const left = gone((await arrived).gone);
    const second = chunks.next().catch((error: AppError) => error);
    await clock.tick(3_999);
    expect(clock.sleepers()).toBe(1);
    await clock.tick(1);
    expect(await second).toMatchObject({ code: "UPSTREAM_TIMEOUT", facts: { limit: "stallMs" } });
    await left;
    expect(clock.sleepers()).toBe(0);
  });

  test.each<[string, Answer]>([
    ["before the headers", () => {}],
    ["before the first token", started],
    ["between two tokens", oneToken],
  ])("error: an abort %s closes the connection at once", async (_, begin) => {
    const { answer, arrived } = slow(begin);
    const { backend } = await against(answer);
    const leaving = new AbortController();
    const reason = new AppError("CLIENT_GONE", "gone");
    const read = (async () => {
      for await (const _ of backend.chat(request, leaving.signal));
    })();
    const failed = expect(read).rejects.toBe(reason);
    const left = gone((await arrived).gone);
    leaving.abort(reason);
    await failed;
    await left;
  });

  test("behavior: a consumer that leaves closes the connection at once", async () => {
    const { answer, arrived } = slow(oneToken);
    const { backend } = await against(answer);
    let left: Promise<void> | undefined;
    for await (const _ of backend.chat(request, never)) {
      left = gone((await arrived).gone);
      break;
    }
    await left;
  });
});

describe("check", () => {
  test("error: a server that takes the question and never answers", async () => {
    const clock = createFakeClock();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { backend } = await against(() => resolve(), {}, clock);
    const failed = expect(backend.check(never)).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await promise;
    await clock.tick(10_000);
    await failed;
  });

  const listing = (...ids: string[]) => json(200, { object: "list", data: ids.map((id) => ({ id })) });
  test.each<[string, Answer, object | undefined]>([
    ["the model is offered", listing("a", "llama3.2"), undefined],
    ["Ollama's :latest", listing("llama3.2:latest"), undefined],
    ["a server that lists nothing", json(404, "no"), undefined],
    ["another model", listing("a", "b"), { code: "CONFIG_INVALID", param: "model", hint: "It offers: a, b." }],
    ["no model at all", listing(), { code: "CONFIG_INVALID", param: "model" }],
    ["a wrong key", json(401, "no"), { code: "CONFIG_INVALID", param: "apiKey" }],
    ["a broken server", json(500, "no"), { code: "UPSTREAM_FAILED" }],
  ])("behavior: %s", async (_, answer, expected) => {
    const { backend } = await against(answer, { model: "llama3.2" });
    const failed = await backend.check(never).catch((error: AppError) => error);
    if (expected) expect(failed).toMatchObject(expected);
    else expect(failed).toBeUndefined();
  });
});
