import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "@clawcompute/lib/errors";
import { systemClock } from "@clawcompute/lib/node";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { createFakeClock, tinyGguf, tinyModels, writeTinyModel } from "@clawcompute/lib/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "./backend.ts";
import { createLlamaBackend, type LlamaConfig } from "./llama.ts";

const folder = await mkdtemp(join(tmpdir(), "claw-llama-"));
const path = (name: string) => join(folder, `${name}.gguf`);
const never = new AbortController().signal;
const asking = (rest: Partial<ChatRequest> = {}): ChatRequest => ({ model: "m", messages: [{ role: "user", content: "hi" }], ...rest });
const opened: Backend[] = [];
function open(name: string, rest: Partial<LlamaConfig> = {}, clock = systemClock): Backend {
  const backend = createLlamaBackend({ kind: "llama", ggufPath: path(name), contextTokens: 4096, ...rest }, { clock });
  opened.push(backend);
  return backend;
}
async function textOf(backend: Backend, request: ChatRequest): Promise<string> {
  let text = "";
  for await (const chunk of backend.chat(request, never)) text += JSON.parse(chunk).choices[0]?.delta?.content ?? "";
  return text;
}
const failureOf = (backend: Backend, request: ChatRequest) => textOf(backend, request).catch((error: AppError) => error);

beforeAll(async () => {
  await writeTinyModel(path("claw-tiny-1"), "claw-tiny-1");
  await writeTinyModel(path("claw-tiny-2"), "claw-tiny-2");
  await writeTinyModel(path("endless"), { say: "round and about", cycle: true, ctx: 32_768 });
  await writeTinyModel(path("noise"), { ctx: 4096 });
  await writeFile(path("other"), "GGUF and then nothing of use");
  await writeFile(path("cut"), tinyGguf().subarray(0, 300_000));
});
afterAll(async () => {
  for (const backend of opened) await backend.close();
  await rm(folder, { recursive: true });
});

describe("createLlamaBackend", () => {
  test.each(["claw-tiny-1", "claw-tiny-2"] as const)("behavior: %s says its sentence, whatever the conversation", async (name) => {
    const backend = open(name);
    const conversation: ChatRequest["messages"] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "hello" },
      { role: "user", content: "hello again" },
      { role: "assistant", content: null, tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "c", content: "42" },
    ];
    expect(await textOf(backend, asking())).toBe(tinyModels[name].say);
    expect(await textOf(backend, asking({ messages: conversation, tools: [], tool_choice: "auto" }))).toBe(tinyModels[name].say);
  });

  test("behavior: greedy by default; a temperature with a seed gives the same again, another seed another", async () => {
    const backend = open("noise");
    const ask = (rest: Partial<ChatRequest>) => textOf(backend, asking({ max_tokens: 30, ...rest }));
    expect(await ask({})).toBe(await ask({}));
    const warm = await ask({ temperature: 2, seed: 7 });
    expect(await ask({ temperature: 2, seed: 7 })).toBe(warm);
    expect(await ask({ temperature: 2, seed: 8 })).not.toBe(warm);
  });

  test("behavior: response_format makes even noise write JSON of the schema", async () => {
    const schema = { type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"], additionalProperties: false };
    const answer = await textOf(open("noise"), asking({ response_format: { type: "json_schema", json_schema: { name: "s", schema } } }));
    expect(JSON.parse(answer)).toEqual({ yes: expect.any(Boolean) });
  });

  test("behavior: an endless model ends with the context and says length", async () => {
    const chunks: string[] = [];
    for await (const chunk of open("endless", { contextTokens: 256 }).chat(asking(), never)) chunks.push(chunk);
    const { usage } = JSON.parse(chunks.at(-1) ?? "");
    expect(JSON.parse(chunks.at(-2) ?? "").choices[0].finish_reason).toBe("length");
    expect(usage.total_tokens).toBe(254);
  });

  test("error: all places taken: waits its time in line, then BUSY; a full line refuses at once", async () => {
    const clock = createFakeClock();
    const backend = open("endless", { slots: 1, contextTokens: 32_768 }, clock);
    const running = backend.chat(asking(), never)[Symbol.asyncIterator]();
    await running.next();
    const waiting = Array.from({ length: 4 }, () => failureOf(backend, asking()));
    while (clock.sleepers() < 4) await new Promise((resolve) => setImmediate(resolve));
    expect(await failureOf(backend, asking())).toMatchObject({ code: "BUSY", retryAfterSeconds: 5 });
    await clock.tick(5_000);
    for (const failed of await Promise.all(waiting)) expect(failed).toMatchObject({ code: "BUSY" });
    await running.return?.();
    expect(await textOf(backend, asking({ max_tokens: 2 }))).toBe("round and");
  });

  test("behavior: who waits in line gets the place when it is free", async () => {
    const backend = open("endless", { slots: 1 }, createFakeClock());
    const running = backend.chat(asking(), never)[Symbol.asyncIterator]();
    await running.next();
    const next = textOf(backend, asking({ max_tokens: 2 }));
    await running.return?.();
    expect(await next).toBe("round and");
  });

  test("error: a long prompt is left between its pieces", async () => {
    const backend = open("endless", { contextTokens: 32_768, slots: 1 });
    await backend.check(never);
    const leaving = new AbortController();
    const long = asking({ messages: [{ role: "user", content: "x".repeat(30_000) }] });
    const reading = (async () => {
      for await (const _ of backend.chat(long, leaving.signal));
    })();
    setImmediate(() => leaving.abort(new Error("left")));
    await expect(reading).rejects.toThrow("left");
    expect(await textOf(backend, asking({ max_tokens: 2 }))).toBe("round and");
  });

  test("error: closing ends what runs, and refuses what comes", async () => {
    const backend = open("endless", { contextTokens: 32_768 });
    const reading = failureOf(backend, asking());
    for await (const _ of backend.chat(asking(), never)) break;
    await backend.close();
    expect(await reading).toMatchObject({ code: "UPSTREAM_FAILED" });
    expect(await failureOf(backend, asking())).toMatchObject({ code: "UPSTREAM_FAILED" });
  });

  test.each([
    ["missing", "cannot be read"],
    ["other", "is not a GGUF file"],
    ["cut", "cannot be loaded"],
  ])("error: a %s file is a configuration fault that names it", async (name, message) => {
    await expect(open(name).check(never)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      param: "ggufPath",
      message: expect.stringContaining(message),
    });
  });

  test.each<[string, Partial<ChatRequest>, object]>([
    ["n", { n: 2 }, { code: "UNSUPPORTED", param: "n" }],
    ["tool_choice", { tool_choice: "required" }, { code: "UNSUPPORTED", param: "tool_choice" }],
    ["temperature", { temperature: 9 }, { code: "UPSTREAM_REFUSED", param: "temperature" }],
    ["stop", { stop: [""] }, { code: "UPSTREAM_REFUSED", param: "stop.0" }],
    [
      "an image",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] }] },
      { code: "UNSUPPORTED", param: "messages.0.content" },
    ],
    ["a bad schema", { response_format: { type: "json_schema" } }, { code: "UPSTREAM_REFUSED", param: "response_format" }],
  ])("error: %s is refused by name", async (_, rest, expected) => {
    expect(await failureOf(open("claw-tiny-1"), asking(rest))).toMatchObject(expected);
  });
});
