import { createHash } from "node:crypto";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { decodeSignedReceipt, headers, RECEIPT_KEY, verifyReceiptSignature } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, type ScriptedUpstream, startLocalChain } from "@clawcompute/lib/testing";
import { embedMany, generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI, { APIError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from "openai";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createOpenaiBackend } from "./backends/openai.ts";
import { createPayer, type Payer } from "./testing/payer.ts";
import { startScriptedOllama } from "./testing/scriptedOllama.ts";
import { startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const [, owner, , payerAccount] = devAccounts as readonly LocalAccount[] as [LocalAccount, LocalAccount, LocalAccount, LocalAccount];
const models = ["text", "image", "audio", "embedding"] as const;
let local: LocalChain;
let upstream: ScriptedUpstream;
let provider: TestProvider;
let payer: Payer;
const tokens: string[] = [];

beforeAll(async () => {
  [local, upstream] = await Promise.all([startLocalChain({ blockTimeMs: 250 }), startScriptedOllama()]);
  const offers = models.map((model, serviceType) => ({
    model,
    serviceType,
    backend: createOpenaiBackend({ kind: "openai", baseUrl: upstream.origin, apiKey: "operators-own", model: "qwen" }),
  }));
  provider = await startProvider({ local, owner, offers });
  payer = createPayer(local, payerAccount);
  for (const index of models.keys()) tokens.push(await freshToken(index));
});
afterAll(async () => {
  await provider?.stop();
  await upstream?.close();
  await local?.stop();
});

async function freshToken(index = 0, seconds = 600): Promise<string> {
  const streamId = await payer.openStream({
    recipient: owner.address,
    providerId: provider.providerId(index),
    seconds,
    serviceType: index,
  });
  return (await payer.session(provider.url, streamId)).token;
}
const sdk = (index = 0, options: object = {}) =>
  new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: tokens[index] as string, maxRetries: 0, ...options });
const user = (content: string) => [{ role: "user" as const, content }];
const lastSent = () => JSON.parse(upstream.exchanges.at(-1)?.body ?? "");
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: APIError) => error,
  );
// biome-ignore lint/suspicious/noExplicitAny: what SDKs do not know of
const receiptOf = (chunk: any) => decodeSignedReceipt(chunk[RECEIPT_KEY]).receipt;
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
/** The receipt in the header of an answer in one piece is about exactly these bytes. */
async function checkHeader(response: Response, bytes: Uint8Array | string) {
  const signed = decodeSignedReceipt(JSON.parse(Buffer.from(response.headers.get(headers.receipt) ?? "", "base64url").toString()));
  await verifyReceiptSignature(payer.domain, signed.receipt, signed.signature, owner.address);
  expect(signed.receipt.bodyHash).toBe(`0x${createHash("sha256").update(bytes).digest("hex")}`);
  expect(response.headers.get("x-request-id")).toBe(signed.receipt.requestId);
  return signed.receipt;
}

describe("openai", () => {
  test("behavior: lists and finds models", async () => {
    expect((await all(sdk().models.list())).map(({ id }) => id)).toEqual(models);
    expect(await sdk().models.retrieve("text")).toMatchObject({
      id: "text",
      clawcompute: { paths: ["/v1/chat/completions", "/inference", "/v1/completions", "/v1/responses"] },
    });
  });

  test("behavior: chat in one piece, with n, part-array content, response_format and fields that we do not know", async () => {
    const { data, response, request_id } = await sdk()
      .chat.completions.create({
        model: "text",
        messages: [{ role: "user", content: [{ type: "text", text: "said" }] }],
        n: 2,
        response_format: { type: "json_object" },
        max_completion_tokens: 9,
        ...{ keep_alive: "5m" },
      })
      .withResponse();
    expect(data.choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ['{"said":"said"}', "stop"],
      ['{"said":"said"}', "stop"],
    ]);
    expect(data).toMatchObject({ model: "text", usage: { prompt_tokens: 5, completion_tokens: 3 } });
    expect(request_id).toBe(response.headers.get("x-request-id"));
    expect(lastSent()).toMatchObject({
      model: "qwen",
      n: 2,
      response_format: { type: "json_object" },
      keep_alive: "5m",
      max_completion_tokens: 9,
    });
  });

  test("behavior: chat streamed, with usage, and the receipt in a chunk that helpers ignore", async () => {
    const params = { model: "text", messages: user("one two three"), stream_options: { include_usage: true } };
    const chunks = await all(await sdk().chat.completions.create({ ...params, stream: true }));
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("one two three");
    expect(chunks.filter(({ usage }) => usage)).toHaveLength(1);
    expect(receiptOf(chunks.at(-1))).toMatchObject({ model: "text", unitsIn: 5, unitsOut: 3, reason: "stop" });
    const helper = sdk().chat.completions.stream(params);
    expect((await helper.finalChatCompletion()).choices[0]?.message.content).toBe("one two three");
    expect((await helper.totalUsage()).total_tokens).toBe(8);
  });

  test("behavior: tools pass through, both ways", async () => {
    const tools = [
      {
        type: "function" as const,
        function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
      },
    ];
    const ask = { model: "text", messages: user("weather?"), tools, tool_choice: "auto" as const };
    const called = [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } }];
    const whole = await sdk().chat.completions.create(ask);
    expect(whole.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: called } });
    expect(lastSent().tools).toEqual(tools);
    const streamed = await sdk().chat.completions.stream(ask).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: called } });
  });

  test("behavior: completions, in one piece and streamed", async () => {
    const { data, response } = await sdk().completions.create({ model: "text", prompt: "a b c" }).withResponse();
    expect(data).toMatchObject({
      object: "text_completion",
      model: "text",
      choices: [{ text: "a b c", finish_reason: "stop" }],
      usage: { completion_tokens: 3 },
    });
    expect(await checkHeader(response, JSON.stringify(data))).toMatchObject({ reason: "stop", unitsOut: 3 });
    const chunks = await all(await sdk().completions.create({ model: "text", prompt: "a b c", stream: true }));
    expect(chunks.map(({ choices }) => choices[0]?.text ?? "").join("")).toBe("a b c");
    expect(receiptOf(chunks.at(-1))).toMatchObject({ unitsIn: 5, unitsOut: 3 });
  });

  test("behavior: responses, in one piece and streamed, kept nowhere", async () => {
    const { data, response } = await sdk().responses.create({ model: "text", input: "a b c" }).withResponse();
    expect([data.output_text, data.status, data.model]).toEqual(["a b c", "completed", "text"]);
    expect(response.headers.get(headers.receipt)).toBeTruthy();
    expect(lastSent()).toMatchObject({ model: "qwen", store: false, stream: true });
    const events = await all(await sdk().responses.create({ model: "text", input: "a b c", stream: true }));
    expect(events.at(-2)?.type).toBe("response.completed");
    expect(events.at(-1)).toMatchObject({ type: "keepalive", sequence_number: events.length - 1 });
    expect(receiptOf(events.at(-1))).toMatchObject({ unitsIn: 5, unitsOut: 3, reason: "stop" });
    const helper = sdk().responses.stream({ model: "text", input: "a b c" });
    expect((await helper.finalResponse()).output_text).toBe("a b c");
    for (const [field, value] of [
      ["previous_response_id", "resp_0"],
      ["background", true],
    ] as const) {
      expect(await failureOf(sdk().responses.create({ model: "text", input: "x", [field]: value }))).toMatchObject({
        status: 501,
        param: field,
      });
    }
    const hosted = sdk().responses.create({
      model: "text",
      input: "x",
      tools: [{ type: "mcp", server_label: "a", server_url: "http://10.0.0.1" }],
    });
    expect(await failureOf(hosted)).toMatchObject({ code: "unsupported", param: "tools.0.type" });
  });

  test("behavior: embeddings, in base64 as the SDK asks by default, and as numbers", async () => {
    const { data, response } = await sdk(3)
      .embeddings.create({ model: "embedding", input: ["ab", "abcd"] })
      .withResponse();
    expect(data.data.map(({ embedding }) => embedding)).toEqual([
      [2, 0.5, -1],
      [4, 0.5, -1],
    ]);
    expect(response.headers.get(headers.receipt)).toBeTruthy();
    const plain = await sdk(3).embeddings.create({ model: "embedding", input: "ab", encoding_format: "float" });
    expect([plain.data[0]?.embedding, plain.model, plain.usage.prompt_tokens]).toEqual([[2, 0.5, -1], "embedding", 1]);
  });

  test("behavior: images, speech and transcriptions", async () => {
    const { data: image, response } = await sdk(1).images.generate({ model: "image", prompt: "a cat" }).withResponse();
    expect(image.data?.[0]?.b64_json).toBe("aW1hZ2U=");
    expect(await checkHeader(response, JSON.stringify(image))).toMatchObject({ unitsIn: 5, unitsOut: 1 });

    const spoken = await sdk(2).audio.speech.create({ model: "audio", input: "hi", voice: "alloy" });
    const sound = Buffer.from(await spoken.arrayBuffer());
    expect([sound.toString(), spoken.headers.get("content-type"), spoken.headers.get("set-cookie")]).toEqual(["sound", "audio/mpeg", null]);
    expect(await checkHeader(spoken as unknown as Response, sound)).toMatchObject({ unitsIn: 2, unitsOut: 5 });

    const file = new File(["RIFF…"], "a.wav", { type: "audio/wav" });
    expect((await sdk(2).audio.transcriptions.create({ model: "audio", file, language: "en" })).text).toBe("hello there");
    expect(upstream.exchanges.at(-1)?.body).toMatch(/name="language"\r\n\r\nen[\s\S]*name="model"\r\n\r\nqwen/);
    const events = await all(await sdk(2).audio.transcriptions.create({ model: "audio", file, stream: true }));
    expect(events.map(({ type }) => type as string)).toEqual([
      "transcript.text.delta",
      "transcript.text.delta",
      "transcript.text.done",
      "keepalive",
    ]);
    expect(receiptOf(events.at(-1)).reason).toBe("stop");
  });

  test("error: a route that the offer does not have is refused with a remedy, not tried again", async () => {
    const before = upstream.exchanges.length;
    const refused = await failureOf(sdk(0, { maxRetries: 2 }).embeddings.create({ model: "text", input: "x" }));
    expect(refused).toMatchObject({ status: 501, code: "unsupported", type: "invalid_request_error" });
    expect(refused?.message).toContain("open one to an offer of service type 3 (embedding)");
    expect((await failureOf(sdk(3).chat.completions.create({ model: "embedding", messages: user("x") })))?.message).toContain(
      "pays for /v1/embeddings;",
    );
    expect(upstream.exchanges.length).toBe(before);
  });

  test("error: each failure is the class that the SDK has for it", async () => {
    const chat = (content: string, options = {}, model = "text") =>
      failureOf(sdk(0, options).chat.completions.create({ model, messages: user(content) }));
    expect(await chat("refuse")).toBeInstanceOf(BadRequestError);
    expect(await chat("refuse")).toMatchObject({
      code: "upstream_refused",
      message: expect.stringContaining("invalid options: temperature"),
    });
    expect(await chat("x", {}, "other")).toBeInstanceOf(NotFoundError);
    expect(await chat("x", { apiKey: "A".repeat(43) })).toBeInstanceOf(AuthenticationError);
    const before = upstream.exchanges.length;
    const failed = await chat("fail", { maxRetries: 2 });
    expect(failed).toBeInstanceOf(InternalServerError);
    expect(failed).toMatchObject({ status: 502, code: "upstream_failed", type: "upstream_error", requestID: expect.any(String) });
    expect(failed?.message).not.toContain("runner");
    expect(upstream.exchanges.length - before).toBe(1);
    const unpaid = await failureOf(
      sdk(0, { defaultHeaders: { authorization: null } }).chat.completions.create({ model: "text", messages: user("x") }),
    );
    expect(unpaid).toMatchObject({ status: 402, code: "token_missing", type: "insufficient_quota" });
    expect(unpaid).toBeInstanceOf(APIError);
  });

  test("error: an answer that breaks off throws in the middle, and no chunk says it was finished", async () => {
    const stream = await sdk().chat.completions.create({ model: "text", messages: user("break"), stream: true });
    const seen: unknown[] = [];
    const broken = await failureOf(
      (async () => {
        for await (const chunk of stream) seen.push(chunk.choices[0]?.finish_reason);
      })(),
    );
    expect(broken).toMatchObject({ code: "upstream_failed", type: "upstream_error" });
    expect(seen).toEqual([null]);
  });

  test("behavior: aborting stops the engine and the meter", async () => {
    const stream = await sdk().chat.completions.create({ model: "text", messages: user("for ever"), stream: true });
    for await (const _ of stream) break;
    const { gone } = upstream.exchanges.at(-1) as { gone: AbortSignal };
    if (!gone.aborted) await new Promise((resolve) => gone.addEventListener("abort", resolve, { once: true }));
    await vi.waitFor(async () => expect(await provider.metrics.render()).toContain("running_answers 0"), { timeout: 20_000, interval: 20 });
  });

  test("error: a rate limit says when to come back", async () => {
    const limited = await startProvider({
      local,
      owner: devAccounts[5] as LocalAccount,
      offers: [{ model: "text", backend: createOpenaiBackend({ kind: "openai", baseUrl: upstream.origin, model: "qwen" }) }],
      limits: { requestsPerMinute: 6 },
    });
    try {
      const recipient = (devAccounts[5] as LocalAccount).address;
      const open = async () =>
        (await payer.session(limited.url, await payer.openStream({ recipient, providerId: limited.providerId() }))).token;
      const [first, second] = [await open(), await open()];
      const ask = (apiKey: string) =>
        failureOf(
          new OpenAI({ baseURL: `${limited.url}/v1`, apiKey, maxRetries: 0 }).chat.completions.create({
            model: "text",
            messages: user("x"),
          }),
        );
      // The limit is the payer's, whichever of its streams it asks on.
      for (const key of [first, second, first, second, first]) expect(await ask(key)).toBeUndefined();
      const refused = await ask(second);
      expect(refused).toBeInstanceOf(RateLimitError);
      expect(refused?.code).toBe("rate_limited");
      expect(Number(refused?.headers?.get("retry-after"))).toBeGreaterThan(5);
      expect(refused?.headers?.get("x-should-retry")).toBeNull();
    } finally {
      await limited.stop();
    }
  });
});

const aiModels = [
  [
    "@ai-sdk/openai-compatible",
    (apiKey: string) => createOpenAICompatible({ name: "claw", baseURL: `${provider.url}/v1`, apiKey, includeUsage: true })("text"),
  ],
  ["@ai-sdk/openai (chat)", (apiKey: string) => createOpenAI({ baseURL: `${provider.url}/v1`, apiKey }).chat("text")],
  ["@ai-sdk/openai (responses)", (apiKey: string) => createOpenAI({ baseURL: `${provider.url}/v1`, apiKey })("text")],
] as const;

describe.each(aiModels)("ai with %s", (_, create) => {
  const model = () => create(tokens[0] as string);
  const usage = { inputTokens: 5, outputTokens: 3 };

  test("behavior: in one piece and streamed, with usage", async () => {
    const whole = await generateText({ model: model(), prompt: "one two three" });
    expect(whole).toMatchObject({ text: "one two three", finishReason: "stop", usage });
    const errors: unknown[] = [];
    const streamed = streamText({ model: model(), prompt: "one two three", onError: ({ error }) => void errors.push(error) });
    expect((await all(streamed.textStream)).join("")).toBe("one two three");
    expect([await streamed.finishReason, errors]).toEqual(["stop", []]);
    expect(await streamed.usage).toMatchObject(usage);
  });
});

describe.each(aiModels.slice(0, 2))("ai with %s, tools and errors", (_, create) => {
  const model = () => create(tokens[0] as string);

  test("behavior: tools, and errors that it reports as such", async () => {
    const inputSchema = jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } } });
    const { toolCalls, finishReason } = await generateText({ model: model(), prompt: "x", tools: { weather: tool({ inputSchema }) } });
    expect([toolCalls[0]?.toolName, toolCalls[0]?.input, finishReason]).toEqual(["weather", { city: "Bern" }, "tool-calls"]);
    const refused = await failureOf(generateText({ model: model(), prompt: "refuse", maxRetries: 2 }));
    expect(refused).toMatchObject({ statusCode: 400, isRetryable: false, message: expect.stringContaining("invalid options") });
    const errors: unknown[] = [];
    const broken = streamText({ model: model(), prompt: "break", onError: ({ error }) => void errors.push(error) });
    expect([(await all(broken.textStream)).join(""), await broken.finishReason, errors.length]).toEqual(["half", "error", 1]);
  });

  test("behavior: aborting stops the engine", async () => {
    const abort = new AbortController();
    const streamed = streamText({ model: model(), prompt: "for ever", abortSignal: abort.signal, onError: () => {} });
    for await (const _ of streamed.textStream) {
      abort.abort();
      break;
    }
    const { gone } = upstream.exchanges.at(-1) as { gone: AbortSignal };
    if (!gone.aborted) await new Promise((resolve) => gone.addEventListener("abort", resolve, { once: true }));
  });
});

test("ai embeds", async () => {
  const compatible = createOpenAICompatible({ name: "claw", baseURL: `${provider.url}/v1`, apiKey: tokens[3] as string });
  const { embeddings } = await embedMany({ model: compatible.embeddingModel("embedding"), values: ["a", "abc"] });
  expect(embeddings).toEqual([
    [1, 0.5, -1],
    [3, 0.5, -1],
  ]);
});
