import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { connectChain } from "@clawcompute/lib/chain";
import { tinyGguf, tinyModels, writeTinyModel } from "@clawcompute/lib/testing";
import { APICallError, embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { Ollama } from "ollama";
import OpenAI, { APIError, InternalServerError, NotFoundError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { GATEWAY_ACCOUNT, type GatewayProcess, startGatewayProcess } from "./harness/gatewayProcess.ts";
import { type ScriptedModel, startScriptedModel } from "./harness/scriptedModel.ts";
import { account, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

// Clients as people have them, unchanged; gateway and providers are processes of their own, the models are real transformers.
const run = promisify(execFile);
const SAY = tinyModels["claw-tiny-1"].say;
const PRICE = "0.0001";
const keys = { owner: "owner-key-0123456789", poor: "poor-key", short: "short-key", paused: "paused-key" };

let world: World;
let decider: ScriptedModel;
let gateway: GatewayProcess;
let mortal: ProviderProcess;
let heir: ProviderProcess;
let house: ProviderProcess;

beforeAll(async () => {
  [world, decider] = await Promise.all([startWorld(), startScriptedModel("decider")]);
  const path = (name: string) => join(world.folder, name);
  await writeTinyModel(path("tiny.gguf"), "claw-tiny-1");
  // Over and over: whoever asks it has to be stopped by somebody. Wide enough to take its time.
  writeFileSync(
    path("endless.gguf"),
    tinyGguf({ say: "round and about it goes", cycle: true, ctx: 32_768, embd: 256, layers: 4, ffn: 512 }),
  );
  const llama = { backend: "llama", pricePerSecond: PRICE };
  const offers = [
    { ...llama, model: "claw-tiny-1", ggufPath: path("tiny.gguf") },
    { ...llama, model: "endless", ggufPath: path("endless.gguf") },
    { ...llama, model: "vectors", ggufPath: path("tiny.gguf"), serviceType: 3 },
    { backend: "openai", pricePerSecond: PRICE, model: "decider", inferenceUrl: decider.url },
  ];
  writeFileSync(path("offers.json"), JSON.stringify(offers));
  const mortals = { BACKEND: "llama", GGUF_PATH: path("endless.gguf"), MODEL_NAME: "mortal", MAX_CONCURRENCY: "4" };
  [house, mortal, heir] = await Promise.all([
    world.provider(1, { PROVIDER_OFFERS: path("offers.json") }),
    world.provider(2, { ...mortals, PRICE_PER_SECOND: "0.0001" }),
    world.provider(3, { ...mortals, PRICE_PER_SECOND: "0.0003" }),
  ]);
  const clients = [
    { name: "poor", total: "0.000000001" },
    { name: "short", perRequest: "0.0001" },
    { name: "paused", perHour: "0.01" },
  ].map(({ name, ...limits }) => ({ ...limits, name, keySha256: createHash("sha256").update(`${name}-key`).digest("hex") }));
  writeFileSync(path("clients.json"), JSON.stringify(clients));
  gateway = await startGatewayProcess(world, {
    GATEWAY_TOKEN: keys.owner,
    GATEWAY_CLIENTS: path("clients.json"),
    MAX_STREAMS: "8",
    MAX_PER_HOUR: "1",
    STREAM_IDLE_SECONDS: "600",
  });
}, 300_000);
afterAll(async () => {
  await gateway?.kill("SIGKILL");
  await decider?.close();
  await world?.stop();
});

const openai = (key = keys.owner, options: object = {}) =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0, ...options });
const ollama = (key = keys.owner) => new Ollama({ host: gateway.url, headers: { authorization: `Bearer ${key}` } });
const compatible = (key = keys.owner) =>
  createOpenAICompatible({ name: "claw", baseURL: `${gateway.url}/v1`, apiKey: key, includeUsage: true });
const viaResponses = (key = keys.owner) => createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key });
const user = (content: string) => [{ role: "user" as const, content }];
const failureOf = <T>(work: Promise<T>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
/** Counts what an SDK really sends. */
const counting = () => {
  const counted = {
    requests: 0,
    fetch: (...args: Parameters<typeof fetch>) => {
      counted.requests += 1;
      return fetch(...args);
    },
  };
  return counted;
};
const look = { name: "look", parameters: { type: "object" as const, properties: { at: { type: "string" } } } };

describe("openai", () => {
  test("models: listed with provider and price, and found one by one", async () => {
    const listed = await all(openai().models.list());
    const named = listed.map(({ id }) => id);
    for (const name of ["auto", "claw-tiny-1", "endless", "mortal", "vectors", `claw-tiny-1@${house.id}`]) expect(named).toContain(name);
    const found = await openai().models.retrieve(`mortal@${heir.id}`);
    expect(found).toMatchObject({ id: `mortal@${heir.id}`, clawcompute: { providerId: heir.id, pricePerSecond: "0.0003 ETH" } });
    expect(await failureOf(openai().models.retrieve("nobody's"))).toBeInstanceOf(NotFoundError);
  });

  test("chat in one piece: the sentence of a real model, its usage and its bill", async () => {
    const { data, response, request_id } = await openai()
      .chat.completions.create({ model: "claw-tiny-1", messages: user("hi") })
      .withResponse();
    expect(data.choices[0]).toMatchObject({ message: { role: "assistant", content: expect.stringContaining(SAY) }, finish_reason: "stop" });
    expect(data.usage?.completion_tokens).toBeGreaterThan(10);
    expect(data).toMatchObject({ clawcompute: { provider: String(house.id), model: "claw-tiny-1", requestId: request_id } });
    expect(BigInt(response.headers.get("clawcompute-cost") ?? 0)).toBeGreaterThan(0n);
  });

  test("chat streamed: word by word, usage in a last chunk, the helper as well", async () => {
    const ask = { model: "claw-tiny-1", messages: user("hi"), stream_options: { include_usage: true } };
    const chunks = await all(await openai().chat.completions.create({ ...ask, stream: true }));
    expect(
      chunks
        .map(({ choices }) => choices[0]?.delta.content ?? "")
        .join("")
        .trim(),
    ).toBe(SAY);
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) }, clawcompute: { symbol: "ETH" } });
    const helper = openai().chat.completions.stream(ask);
    expect((await helper.finalChatCompletion()).choices[0]?.message.content?.trim()).toBe(SAY);
  });

  test("tools: called, answered, concluded", async () => {
    decider.play([{ tool: "look", arguments: { at: "Bern" } }]);
    const tools = [{ type: "function" as const, function: look }];
    const first = await openai().chat.completions.create({ model: "decider", messages: user("weather?"), tools });
    const message = first.choices[0]?.message as OpenAI.ChatCompletionMessage;
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    expect(message.tool_calls).toMatchObject([{ function: { name: "look", arguments: '{"at":"Bern"}' } }]);
    const second = await openai()
      .chat.completions.stream({
        model: "decider",
        messages: [...user("weather?"), message, { role: "tool", tool_call_id: message.tool_calls?.[0]?.id ?? "", content: "rain" }],
        tools,
      })
      .finalChatCompletion();
    expect(second.choices[0]?.message.content).toBe("done: rain");
  });

  test("responses: whole and streamed", async () => {
    expect((await openai().responses.create({ model: "claw-tiny-1", input: "hi" })).output_text.trim()).toBe(SAY);
    const events = await all(await openai().responses.create({ model: "claw-tiny-1", input: "hi", stream: true }));
    expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { status: "completed" } });
  });

  test("embeddings: in base64 as the SDK asks, and as numbers", async () => {
    const packed = await openai().embeddings.create({ model: "vectors", input: ["a", "b"] });
    const plain = await openai().embeddings.create({ model: "vectors", input: ["a", "b"], encoding_format: "float" });
    expect(packed.data.map(({ embedding }) => embedding.length)).toEqual([64, 64]);
    for (const [index, { embedding }] of plain.data.entries()) {
      for (const [place, value] of embedding.entries()) expect(packed.data[index]?.embedding[place]).toBeCloseTo(value, 5);
    }
  });

  test("cut by its own limit or by money, an answer ends as `length`", async () => {
    const limited = await openai().chat.completions.create({ model: "claw-tiny-1", messages: user("hi"), max_tokens: 3 });
    expect([limited.choices[0]?.finish_reason, limited.usage?.completion_tokens]).toEqual(["length", 3]);
    const chunks = await all(await openai(keys.short).chat.completions.create({ model: "endless", messages: user("hi"), stream: true }));
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason).filter(Boolean)).toEqual(["length"]);
    const { costWei } = (chunks.at(-1) as unknown as { clawcompute: { costWei: string } }).clawcompute;
    // A second of 0.0001: what the limit for one request allows.
    expect(BigInt(costWei)).toBeGreaterThan(0n);
    expect(BigInt(costWei)).toBeLessThanOrEqual(130_000_000_000_000n);
  });

  test("leaving: the provider stops, and its time with it (P9)", async () => {
    const before = await gateway.metric("clawcompute_gateway_disconnect_seconds_count");
    const stream = await openai().chat.completions.create({ model: "endless", messages: user("hi"), stream: true });
    for await (const _ of stream) break;
    await expect.poll(() => gateway.metric("clawcompute_gateway_disconnect_seconds_count"), { timeout: 20_000 }).toBe(before + 1);
    const used = async () => (await gateway.status()).streams.filter(({ requests }) => requests > 0);
    await expect.poll(used, { timeout: 20_000 }).toEqual([]);
  });

  test("an empty purse is 402 and sent once; one that is only in use is 503 with retry-after", async () => {
    const poor = counting();
    const client = openai(keys.poor, { maxRetries: 2, fetch: poor.fetch });
    const refused = await failureOf(client.chat.completions.create({ model: "claw-tiny-1", messages: user("hi") }));
    expect(refused).toBeInstanceOf(APIError);
    expect(refused).toMatchObject({
      status: 402,
      type: "insufficient_quota",
      code: "budget_exceeded",
      requestID: expect.stringMatching(/^req_/),
    });
    expect(poor.requests).toBe(1);

    const running = await openai(keys.paused).chat.completions.create({ model: "endless", messages: user("hi"), stream: true });
    const paused = await failureOf(openai(keys.paused).chat.completions.create({ model: "claw-tiny-1", messages: user("hi") }));
    expect(paused).toMatchObject({ status: 503, code: "spending_paused" });
    expect(Number((paused as APIError).headers?.get("retry-after"))).toBeGreaterThan(0);
    running.controller.abort();
  });
});

describe("ollama", () => {
  test("list, show, ps and version", async () => {
    const { models } = await ollama().list();
    expect(models.map(({ name }) => name)).toContain(`claw-tiny-1@${house.id}`);
    const shown = await ollama().show({ model: "claw-tiny-1:latest" });
    expect(shown.capabilities).toContain("completion");
    expect((await ollama().ps()).models.map(({ name }) => name)).toContain("claw-tiny-1");
    expect((await ollama().version()).version).toMatch(/^\d+\.\d+/);
  });

  test("chat and generate, whole and streamed", async () => {
    const chat = await ollama().chat({ model: "claw-tiny-1", messages: user("hi") });
    expect([chat.message.content.trim(), chat.done, chat.done_reason]).toEqual([SAY, true, "stop"]);
    expect(chat.eval_count).toBeGreaterThan(10);
    const parts = await all(await ollama().chat({ model: "claw-tiny-1", messages: user("hi"), stream: true }));
    const said = parts.map(({ message }) => message.content).join("");
    expect(said.trim()).toBe(SAY);
    const { response = "" } = await ollama().generate({ model: "claw-tiny-1", prompt: "hi" });
    expect(response.trim()).toBe(SAY);
    const generated = await all(await ollama().generate({ model: "claw-tiny-1", prompt: "hi", stream: true, options: { num_predict: 3 } }));
    expect(generated.at(-1)).toMatchObject({ done: true, done_reason: "length" });
  });

  test("tools, embeddings and pull", async () => {
    decider.play([{ tool: "look", arguments: { at: "Bern" } }]);
    const asked = { model: "decider", messages: user("weather?"), tools: [{ type: "function", function: look }] };
    expect((await ollama().chat(asked)).message.tool_calls).toEqual([{ function: { name: "look", arguments: { at: "Bern" } } }]);
    const { embeddings } = await ollama().embed({ model: "vectors", input: ["a", "b"] });
    expect(embeddings.map(({ length }) => length)).toEqual([64, 64]);
    expect((await ollama().embeddings({ model: "vectors", prompt: "a" })).embedding).toHaveLength(64);
    expect((await ollama().pull({ model: "claw-tiny-1" })).status).toBe("success");
  });

  test("leaving, and refusals", async () => {
    const before = await gateway.metric("clawcompute_gateway_disconnect_seconds_count");
    const client = ollama();
    const stream = await client.chat({ model: "endless", messages: user("hi"), stream: true });
    const read = async () => {
      for await (const _ of stream) client.abort();
    };
    expect(await failureOf(read())).toMatchObject({ name: "AbortError" });
    await expect.poll(() => gateway.metric("clawcompute_gateway_disconnect_seconds_count"), { timeout: 20_000 }).toBe(before + 1);
    expect(await failureOf(ollama().chat({ model: "nobody's", messages: user("hi") }))).toMatchObject({
      name: "ResponseError",
      status_code: 404,
    });
    expect(await failureOf(ollama(keys.poor).chat({ model: "claw-tiny-1", messages: user("hi") }))).toMatchObject({ status_code: 402 });
  });
});

describe.each([
  ["@ai-sdk/openai-compatible", (id: string, key?: string) => compatible(key)(id)],
  ["@ai-sdk/openai, Responses", (id: string, key?: string) => viaResponses(key)(id)],
  ["@ai-sdk/openai, chat", (id: string, key?: string) => viaResponses(key).chat(id)],
] as const)("ai with %s", (_, model) => {
  test("text, whole and streamed, with usage", async () => {
    const { text, finishReason, usage } = await generateText({ model: model("claw-tiny-1"), prompt: "hi" });
    expect([text.trim(), finishReason]).toEqual([SAY, "stop"]);
    expect(usage.outputTokens).toBeGreaterThan(10);
    const streamed = streamText({ model: model("claw-tiny-1"), prompt: "hi" });
    expect((await all(streamed.textStream)).join("").trim()).toBe(SAY);
    expect(await streamed.finishReason).toBe("stop");
  });

  test("a loop of tools", async () => {
    decider.play([{ tool: "look", arguments: { at: "Bern" } }]);
    const { text, steps } = await generateText({
      model: model("decider"),
      prompt: "weather?",
      stopWhen: stepCountIs(3),
      tools: { look: tool({ inputSchema: jsonSchema<{ at: string }>(look.parameters), execute: async ({ at }) => `rain in ${at}` }) },
    });
    expect([steps.length, text]).toEqual([2, expect.stringContaining("rain in Bern")]);
  });

  test("cut by money as `length`; no money is 402 and sent once", async () => {
    const cut = await generateText({ model: model("endless", keys.short), prompt: "hi" });
    expect([cut.finishReason, cut.text]).toEqual(["length", expect.stringContaining("round and about")]);
    const refused = await failureOf(generateText({ model: model("claw-tiny-1", keys.poor), prompt: "hi" }));
    expect(APICallError.isInstance(refused)).toBe(true);
    expect(refused).toMatchObject({ statusCode: 402, isRetryable: false });
  });
});

test("ai: embeddings", async () => {
  const model = compatible().embeddingModel("vectors");
  expect((await embedMany({ model, values: ["a", "b"] })).embeddings.map(({ length }) => length)).toEqual([64, 64]);
});

describe("curl", () => {
  const curl = async (path: string, body?: object, key = keys.owner) => {
    const send = body ? ["-H", "content-type: application/json", "-d", JSON.stringify(body)] : [];
    const { stdout } = await run("curl", ["-sSN", "-D", "-", "-H", `authorization: Bearer ${key}`, ...send, `${gateway.url}${path}`]);
    const [head = "", ...rest] = stdout.split("\r\n\r\n");
    return { head: head.toLowerCase(), body: rest.join("\r\n\r\n") };
  };

  test("whole, streamed, NDJSON and refused", async () => {
    const ask = { model: "claw-tiny-1", messages: user("hi") };
    const whole = await curl("/v1/chat/completions", ask);
    expect(whole.head).toMatch(/^http\/1.1 200[\s\S]*clawcompute-cost: \d+/);
    expect(JSON.parse(whole.body).choices[0].message.content.trim()).toBe(SAY);
    const streamed = await curl("/v1/chat/completions", { ...ask, stream: true });
    expect(streamed.head).toContain("content-type: text/event-stream");
    expect(streamed.body).toMatch(/data: \[DONE\]\n\n$/);
    // Without `stream` an Ollama streams.
    expect((await curl("/api/chat", ask)).body.trim().split("\n").length).toBeGreaterThan(10);
    const poor = await curl("/v1/chat/completions", ask, keys.poor);
    expect(poor.head).toMatch(/^http\/1.1 402[\s\S]*x-should-retry: false/);
    expect((await curl("/v1/models", undefined, "nobody's")).head).toMatch(/^http\/1.1 401/);
    expect((await curl("/v1/chat/completions")).head).toMatch(/^http\/1.1 405[\s\S]*allow: post/);
  });
});

describe("the provider is killed in the middle of three answers", () => {
  test("each client learns that its answer was cut, the next request is answered by the next provider (P7)", async () => {
    const stream = await openai().chat.completions.create({ model: "mortal", messages: user("hi"), stream: true });
    const talking = stream[Symbol.asyncIterator]();
    expect((await talking.next()).done).toBe(false);
    const spoken = await ollama().chat({ model: "mortal", messages: user("hi"), stream: true });
    const speaking = spoken[Symbol.asyncIterator]();
    expect((await speaking.next()).done).toBe(false);
    const streamed = streamText({ model: compatible()("mortal"), prompt: "hi", onError: () => {} });
    const telling = streamed.textStream[Symbol.asyncIterator]();
    expect((await telling.next()).done).toBe(false);
    const whole = failureOf(openai().chat.completions.create({ model: "mortal", messages: user("hi") }));
    await expect.poll(async () => (await gateway.status()).streams.find(({ providerId }) => providerId === mortal.id)?.requests).toBe(4);
    const drain = async (items: AsyncIterator<unknown>) => {
      while (!(await items.next()).done);
    };
    process.kill(mortal.pid, "SIGKILL");
    const [first, second] = await Promise.all([failureOf(drain(talking)), failureOf(drain(speaking)), failureOf(drain(telling))]);
    expect(first).toMatchObject({ code: "answer_cut" });
    expect(String(second)).toContain("broke off");
    expect(await streamed.finishReason).toBe("error");
    expect(await whole).toMatchObject({ status: 502, code: "answer_cut" });

    const next = await openai().chat.completions.create({ model: "mortal", messages: user("hi"), max_tokens: 5 });
    expect(next).toMatchObject({ clawcompute: { provider: String(heir.id) }, choices: [{ finish_reason: "length" }] });
  });

  test("when nobody is left it is 503 with retry-after, and SDKs try again", async () => {
    await heir.kill("SIGKILL");
    const sent = counting();
    const failed = await failureOf(
      openai(keys.owner, { maxRetries: 1, fetch: sent.fetch }).chat.completions.create({ model: "mortal", messages: user("hi") }),
    );
    expect(failed).toBeInstanceOf(InternalServerError);
    expect(failed).toMatchObject({ status: 503, code: "no_provider" });
    expect(Number((failed as APIError).headers?.get("retry-after"))).toBeGreaterThan(0);
    expect(sent.requests).toBe(2);
  });
});

test("at the end every channel is closed or on its way, and the books agree with the chain", async () => {
  const env = { GATEWAY_URL: gateway.url, GATEWAY_TOKEN: keys.owner };
  const open = (await gateway.status()).streams;
  expect(open.map(({ kind }) => kind)).toEqual(open.map(() => "channel"));
  await fetch(`${gateway.url}/gateway/stop`, { method: "POST", headers: { authorization: `Bearer ${keys.owner}` } });
  const checked = await world.claw(["spend", "--check", "--json"], env);
  expect([checked.code, JSON.parse(checked.stdout).reconciliation.differences]).toEqual([0, []]);
  const chain = connectChain(world.chain.network);
  const channels = await findChannels(chain, account(GATEWAY_ACCOUNT).address, 0n);
  // Whoever is dead signs nothing: its channel ends by notice.
  const dead = [account(2).address, account(3).address];
  for (const { id, openBlock, payee, status } of channels) {
    expect([id, status]).toEqual([id, dead.includes(payee) ? "closing" : "closed"]);
    if (status === "closing") continue;
    const { deposit, paid, refunded } = await readChannelLedger(chain, id, openBlock);
    expect(paid + refunded).toBe(deposit);
  }
  await gateway.kill("SIGTERM");
});
