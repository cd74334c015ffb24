import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import OpenAI from "openai";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../../provider/backends/echo.ts";
import { createScriptedBackend, type ScriptedBackend } from "../../provider/testing/scriptedBackend.ts";
import { startProvider, type TestProvider } from "../../provider/testing/startProvider.ts";
import { startGateway, type TestGateway } from "../testing/startGateway.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 20_000 });

// The real provider on a real chain; clients as people have them.
const accounts = devAccounts as readonly LocalAccount[];
let local: LocalChain;
let provider: TestProvider;
let scripted: ScriptedBackend;
let gateway: TestGateway;
let openai: OpenAI;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  scripted = createScriptedBackend();
  provider = await startProvider({
    local,
    owner: accounts[1] as LocalAccount,
    offers: [
      { model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 2 }) },
      { model: "scripted", backend: scripted, caps: { contextTokens: 9_000 } },
    ],
  });
  gateway = await startGateway(local, accounts[6] as LocalAccount);
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "local", maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await provider?.stop();
  await local?.stop();
});

const messages = [{ role: "user" as const, content: "one two three" }];
const api = async (path: string, body?: object) =>
  fetch(
    `${gateway.url}${path}`,
    body ? { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {},
  );
const lines = async (response: Response) =>
  (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("openai", () => {
  test("behavior: models are listed with provider and price, and found by every name", async () => {
    const id = provider.providerId(0);
    const listed = (await openai.models.list()).data.map((model) => model.id);
    expect(listed).toEqual(["auto", "auto:cheap", "auto:fast", "echo", "scripted", `echo@${id}`, `scripted@${provider.providerId(1)}`]);
    expect(await openai.models.retrieve(`echo@${id}`)).toMatchObject({ clawcompute: { providerId: id, pricePerSecond: "0.0001 ETH" } });
    await expect(openai.models.retrieve("none")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });

  test("behavior: the stream helper, with usage, ids and part-array content", async () => {
    const stream = openai.chat.completions.stream({
      model: "echo",
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "first" },
        { role: "user", content: [{ type: "text", text: "one two three" }] },
      ],
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({ message: { content: "one two three" }, finish_reason: "stop" });
    expect(final.usage?.completion_tokens).toBe(3);
  });

  test("behavior: without usage every chunk has a choice, and the last one the bill", async () => {
    const chunks = [];
    for await (const chunk of await openai.chat.completions.create({ model: "echo", messages, stream: true })) chunks.push(chunk);
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [{ finish_reason: "stop" }],
      clawcompute: { provider: String(provider.providerId(0)) },
    });
  });

  test("behavior: tool calls and unknown fields go through untouched", async () => {
    const asked = openai.chat.completions.create({
      model: "scripted",
      messages,
      tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
      tool_choice: "auto",
      seed: 7,
      top_k: 3,
    } as OpenAI.ChatCompletionCreateParamsNonStreaming);
    const call = await scripted.nextCall();
    expect(call.request).toMatchObject({ seed: 7, top_k: 3, tools: [{ function: { name: "look" } }] });
    const part = (fields: object) =>
      call.push({ id: "c", choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...fields }] }, finish_reason: null }] });
    part({ id: "call_1", type: "function", function: { name: "look", arguments: '{"at"' } });
    part({ function: { arguments: ":1}" } });
    call.finish("tool_calls");
    call.usage(4, 2);
    call.end();
    expect((await asked).choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ id: "call_1", function: { name: "look", arguments: '{"at":1}' } }] },
    });
  });

  test("behavior: leaving ends the engine's work (P9)", async () => {
    const asked = openaiStream();
    const call = await scripted.nextCall();
    call.role();
    call.say("word");
    for await (const _ of await asked) break;
    await call.aborted;
  });

  test("error: what the model broke off is an error in the stream", async () => {
    const stream = openaiStream();
    const call = await scripted.nextCall();
    call.say("half");
    call.fail(new Error("gone"));
    const read = async () => {
      for await (const _ of await stream) {
        // read on
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "answer_cut" });
  });

  test("behavior: the Responses API, whole and streamed, tools included", async () => {
    const whole = await openai.responses.create({ model: "echo", input: "a b c" });
    expect([whole.status, whole.output_text, whole.usage?.output_tokens]).toEqual(["completed", "a b c", 3]);
    const types: string[] = [];
    let text = "";
    for await (const event of await openai.responses.create({
      model: "echo",
      input: [{ role: "user", content: [{ type: "input_text", text: "a b c" }] }],
      stream: true,
    })) {
      types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe("a b c");
    expect([...new Set(types)]).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const asked = openai.responses.create({
      model: "scripted",
      input: [
        { role: "user", content: "look" },
        { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "nothing" },
      ],
      tools: [{ type: "function", name: "look", parameters: { type: "object" }, strict: false }],
    });
    const call = await scripted.nextCall();
    expect(call.request.messages).toMatchObject([
      { role: "user", content: "look" },
      { role: "assistant", tool_calls: [{ id: "c1", function: { name: "look" } }] },
      { role: "tool", tool_call_id: "c1", content: "nothing" },
    ]);
    call.push({
      id: "c",
      choices: [
        { index: 0, delta: { tool_calls: [{ index: 0, id: "c2", type: "function", function: { name: "look", arguments: "{}" } }] } },
      ],
    });
    call.finish("tool_calls");
    call.end();
    expect((await asked).output).toMatchObject([{ type: "function_call", call_id: "c2", name: "look", arguments: "{}" }]);
  });

  test("behavior: completions, whole and streamed", async () => {
    expect((await openai.completions.create({ model: "echo", prompt: "x y" })).choices[0]).toMatchObject({
      text: "x y",
      finish_reason: "stop",
    });
    let text = "";
    for await (const chunk of await openai.completions.create({ model: "echo", prompt: "x y", stream: true }))
      text += chunk.choices[0]?.text ?? "";
    expect(text).toBe("x y");
  });

  test("error: every refusal has status, type, code and id", async () => {
    const refused = await openai.chat.completions.create({ model: "none", messages }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 404,
      code: "model_not_found",
      type: "invalid_request_error",
      requestID: expect.stringMatching(/^req_/),
    });
    await expect(openai.chat.completions.create({ model: "echo", messages: [] })).rejects.toMatchObject({ status: 400, param: "messages" });
    await expect(openai.embeddings.create({ model: "echo", input: "x" })).rejects.toMatchObject({ status: 501, code: "unsupported" });
    await expect(openai.images.generate({ model: "echo", prompt: "x" })).rejects.toMatchObject({ status: 501 });
    const broken = await api("/v1/chat/completions", undefined);
    expect(broken.status).toBe(405);
  });
});

describe("ollama", () => {
  test("behavior: chat and generate, streamed unless told otherwise", async () => {
    const chat = await lines(await api("/api/chat", { model: "echo:latest", messages }));
    expect(chat.map(({ message }) => message.content).join("")).toBe("one two three");
    expect(chat.at(-1)).toMatchObject({
      done: true,
      done_reason: "stop",
      eval_count: 3,
      clawcompute: { provider: String(provider.providerId(0)) },
    });
    expect(await (await api("/api/generate", { model: "echo", prompt: "a b", stream: false })).json()).toMatchObject({
      model: "echo",
      response: "a b",
      done: true,
      eval_count: 2,
      total_duration: expect.any(Number),
    });
    expect(await (await api("/api/generate", { model: "echo", prompt: "", stream: false })).json()).toMatchObject({ done_reason: "load" });
    expect((await lines(await api("/api/generate", { model: "echo", prompt: "a b c", options: { num_predict: 2 } }))).at(-1)).toMatchObject(
      { done_reason: "length" },
    );
  });

  test("behavior: tool calls have objects as arguments", async () => {
    const asked = api("/api/chat", {
      model: "scripted",
      stream: false,
      messages: [
        ...messages,
        { role: "assistant", content: "", tool_calls: [{ function: { name: "look", arguments: { at: 1 } } }] },
        { role: "tool", tool_name: "look", content: "x" },
      ],
    });
    const call = await scripted.nextCall();
    expect(call.request.messages[1]).toMatchObject({ tool_calls: [{ type: "function", function: { arguments: '{"at":1}' } }] });
    call.push({
      id: "c",
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: "look", arguments: '{"at":2}' } }] } }],
    });
    call.finish("tool_calls");
    call.end();
    expect((await (await asked).json()).message.tool_calls).toEqual([{ function: { name: "look", arguments: { at: 2 } } }]);
  });

  test("behavior: tags, show, ps, version and pull say what a client needs", async () => {
    const { models } = await (await api("/api/tags")).json();
    expect(models.find(({ name }: { name: string }) => name === `echo@${provider.providerId(0)}`)).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details: { format: "remote", price_per_second: "0.0001 ETH", provider: provider.providerId(0) },
    });
    expect(await (await api("/api/show", { model: "echo:latest" })).json()).toMatchObject({
      model_info: { "clawcompute.context_length": 32_768 },
      capabilities: ["completion", "tools"],
    });
    // What its provider announces, where it does.
    expect(await (await api("/api/show", { model: "scripted" })).json()).toMatchObject({
      model_info: { "clawcompute.context_length": 9_000 },
    });
    expect((await (await api("/api/ps")).json()).models.length).toBeGreaterThan(0);
    expect((await (await api("/api/version")).json()).version).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await lines(await api("/api/pull", { model: "echo" }))).at(-1)).toMatchObject({ status: "success" });
    expect(await (await api("/")).text()).toBe("Ollama is running");
  });

  test("error: refusals are a sentence under `error`", async () => {
    const refused = await api("/api/chat", { model: "none", messages });
    expect([refused.status, await refused.json()]).toEqual([404, { error: expect.stringContaining("none"), code: "model_not_found" }]);
    const asked = api("/api/chat", { model: "scripted", messages }).then(lines);
    const call = await scripted.nextCall();
    call.say("half");
    call.fail(new Error("gone"));
    expect((await asked).at(-1)).toMatchObject({ code: "answer_cut" });
  });
});

describe("what is kept", () => {
  test("behavior: neither questions nor answers are logged (P12)", async () => {
    await openai.chat.completions.create({ model: "echo", messages: [{ role: "user", content: "zebra-4711" }] });
    expect(gateway.log.join("")).not.toContain("zebra-4711");
    expect(provider.log.join("")).not.toContain("zebra-4711");
  });
});

const openaiStream = () => openai.chat.completions.create({ model: "scripted", messages, stream: true });
