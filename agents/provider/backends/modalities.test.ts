import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "@clawcompute/lib/errors";
import { systemClock } from "@clawcompute/lib/node";
import { startScriptedUpstream, type UpstreamExchange, writeTinyModel } from "@clawcompute/lib/testing";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Backend, createBackend } from "./index.ts";
import { type Embeddings, embeddingsBody, embeddingsRequest } from "./modalities.ts";

const deps = { clock: systemClock };
const never = new AbortController().signal;
const folder = await mkdtemp(join(tmpdir(), "claw-modalities-"));
const ggufPath = join(folder, "model.gguf");
const echo = createBackend({ kind: "echo" }, deps);
const llama = createBackend({ kind: "llama", ggufPath, contextTokens: 512 }, deps);
const closers: (() => Promise<unknown>)[] = [];
beforeAll(() => writeTinyModel(ggufPath, { say: "Whoever pays by the second may stop at any time." }));
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => {
  await llama.close();
  await rm(folder, { recursive: true });
});

type Answer = (exchange: UpstreamExchange, response: ServerResponse) => void;
async function openai(answer: Answer) {
  const upstream = await startScriptedUpstream(answer);
  const backend = createBackend({ kind: "openai", baseUrl: upstream.origin, model: "inner" }, deps);
  closers.push(upstream.close, backend.close);
  return { upstream, backend };
}
const json =
  (body: unknown, status = 200): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
async function all<T>(items: AsyncIterable<T> | undefined): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items ?? []) list.push(item);
  return list;
}
const bytesOf = async (bytes: AsyncIterable<Uint8Array>) => Buffer.concat(await all(bytes)).toString("utf8");
const failureOf = (work: Promise<unknown> | undefined) => work?.catch((error: AppError) => error);

describe("completion", () => {
  const textOf = (chunks: readonly string[]) => chunks.map((chunk) => JSON.parse(chunk).choices[0]?.text ?? "").join("");

  test.each<[string, Backend, string]>([
    ["echo", echo, "say this again"],
    ["llama", llama, "Whoever pays by the second may stop at any time."],
  ])("behavior: %s answers a prompt in text_completion chunks with usage at the end", async (_, backend, expected) => {
    const chunks = await all(backend.completion?.({ model: "m", prompt: "say this again" }, never));
    expect(textOf(chunks)).toBe(expected);
    expect(new Set(chunks.map((chunk) => JSON.parse(chunk).object))).toEqual(new Set(["text_completion"]));
    expect(JSON.parse(chunks.at(-2) ?? "").choices[0].finish_reason).toBe("stop");
    expect(JSON.parse(chunks.at(-1) ?? "")).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
  });

  test.each<[string, Backend]>([
    ["echo", echo],
    ["llama", llama],
  ])("error: %s refuses several prompts, and cuts at max_tokens", async (_, backend) => {
    const refused = failureOf(all(backend.completion?.({ model: "m", prompt: ["a", "b"] }, never)));
    expect(await refused).toMatchObject({ code: "UNSUPPORTED", param: "prompt" });
    const chunks = await all(backend.completion?.({ model: "m", prompt: ["one two three"], max_tokens: 2 }, never));
    expect(JSON.parse(chunks.at(-2) ?? "").choices[0].finish_reason).toBe("length");
    expect(JSON.parse(chunks.at(-1) ?? "").usage.completion_tokens).toBe(2);
  });

  test("behavior: openai passes it on, whether the server streams or not", async () => {
    const choice = { index: 0, text: "abc", logprobs: null, finish_reason: "stop" };
    const { upstream, backend } = await openai(
      json({ id: "c", object: "text_completion", created: 1, model: "inner", choices: [choice], usage: { prompt_tokens: 1 } }),
    );
    const chunks = await all(backend.completion?.({ model: "offer", prompt: "x" }, never));
    expect(upstream.exchanges[0]).toMatchObject({ path: "/v1/completions" });
    expect(JSON.parse(upstream.exchanges[0]?.body ?? "")).toMatchObject({ model: "inner", prompt: "x", stream: true });
    const common = { id: "c", object: "text_completion", created: 1, model: "offer" };
    expect(chunks.map((chunk) => JSON.parse(chunk))).toEqual([
      { ...common, choices: [{ ...choice, finish_reason: null }] },
      { ...common, choices: [{ index: 0, text: "", finish_reason: "stop" }] },
      { ...common, choices: [], usage: { prompt_tokens: 1 } },
    ]);
  });
});

describe("embeddings", () => {
  const cosine = ({ vectors: [a = [], b = []] }: Embeddings) =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b));

  test("behavior: echo's are the same every time, of the asked size, alike for like texts", async () => {
    const embed = async (...input: string[]) => (await echo.embeddings?.({ model: "m", input, dimensions: 128 }, never)) as Embeddings;
    const close = await embed("a red apple falls", "a red apple lies");
    expect(close.vectors.map((vector) => vector.length)).toEqual([128, 128]);
    expect(close.promptTokens).toBe(8);
    expect(await embed("a red apple falls", "a red apple lies")).toEqual(close);
    expect(cosine(close)).toBeGreaterThan(cosine(await embed("a red apple falls", "trains leave late tonight")) + 0.2);
    expect((await embed("same", "same")).vectors[0]).toEqual((await embed("same")).vectors[0]);
  });

  test("behavior: llama's come from the model: as wide as it, the same every time, different for different texts", async () => {
    const embed = async (input: string[]) => (await llama.embeddings?.({ model: "m", input }, never)) as Embeddings;
    const { vectors, promptTokens } = await embed(["abc", "xyz", "abc"]);
    expect(vectors.map((vector) => vector.length)).toEqual([64, 64, 64]);
    expect(vectors[2]).toEqual(vectors[0]);
    expect(vectors[1]).not.toEqual(vectors[0]);
    expect(promptTokens).toBeGreaterThanOrEqual(9);
    expect(await failureOf(llama.embeddings?.({ model: "m", input: "x".repeat(9_000) }, never))).toMatchObject({
      code: "CONTEXT_TOO_LONG",
      param: "input",
    });
    expect(await failureOf(llama.embeddings?.({ model: "m", input: "x", dimensions: 3 }, never))).toMatchObject({ code: "UNSUPPORTED" });
  });

  test("behavior: openai asks for numbers and puts them in order", async () => {
    const data = [
      { index: 1, embedding: [3, 4] },
      { index: 0, embedding: [1, 2] },
    ];
    const { upstream, backend } = await openai(json({ object: "list", data, usage: { prompt_tokens: 5 } }));
    expect(await backend.embeddings?.({ model: "offer", input: ["a", "b"], encoding_format: "base64" }, never)).toEqual({
      vectors: [
        [1, 2],
        [3, 4],
      ],
      promptTokens: 5,
    });
    expect(JSON.parse(upstream.exchanges[0]?.body ?? "")).toEqual({ model: "inner", input: ["a", "b"], encoding_format: "float" });
    expect(await failureOf(backend.embeddings?.({ model: "offer", input: "only one" }, never))).toMatchObject({ code: "UPSTREAM_FAILED" });
  });

  test("behavior: the body as OpenAI's SDK reads it, in both encodings", async () => {
    const server = await startScriptedUpstream(async ({ body }, response) => {
      const request = embeddingsRequest.parse(JSON.parse(body));
      json(embeddingsBody(request, (await echo.embeddings?.(request, never)) as Embeddings))({} as UpstreamExchange, response);
    });
    closers.push(server.close);
    const client = new OpenAI({ apiKey: "x", baseURL: `${server.origin}/v1` });
    const vectors = [];
    for (const encoding_format of ["float", "base64", undefined] as const) {
      const answer = await client.embeddings.create({ model: "m", input: "hello there", ...(encoding_format && { encoding_format }) });
      expect(answer.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
      vectors.push(answer.data[0]?.embedding as number[] | string);
    }
    expect(server.exchanges.map(({ body }) => JSON.parse(body).encoding_format)).toEqual(["float", "base64", "base64"]);
    const bytes = Buffer.from(String(vectors[1]), "base64");
    const decoded = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
    expect(decoded).toEqual((vectors[0] as number[]).map(Math.fround));
    expect(vectors[2]).toEqual(decoded);
  });
});

describe("what openai passes through", () => {
  test("behavior: images, with the answer as it came", async () => {
    const { upstream, backend } = await openai(json({ created: 1, data: [{ url: "https://images.example/1.png" }] }));
    expect(await backend.images?.({ model: "offer", prompt: "a cat", size: "256x256" }, never)).toEqual({
      created: 1,
      data: [{ url: "https://images.example/1.png" }],
    });
    expect(upstream.exchanges[0]?.path).toBe("/v1/images/generations");
    expect(JSON.parse(upstream.exchanges[0]?.body ?? "")).toEqual({ model: "inner", prompt: "a cat", size: "256x256" });
  });

  test("behavior: a transcription's form, file and all", async () => {
    const { upstream, backend } = await openai((_, response) => {
      response.writeHead(200, { "content-type": "text/vtt" }).end("WEBVTT");
    });
    const form = new FormData();
    form.append("file", new Blob(["RIFF sound"], { type: "audio/wav" }), "speech.wav");
    form.append("model", "offer");
    form.append("response_format", "vtt");
    const media = await backend.transcription?.(form, never);
    expect({ type: media?.contentType, text: media && (await bytesOf(media.bytes)) }).toEqual({ type: "text/vtt", text: "WEBVTT" });
    const [sent] = upstream.exchanges;
    const read = await new Response(sent?.body, { headers: { "content-type": sent?.headers["content-type"] ?? "" } }).formData();
    expect({ path: sent?.path, model: read.get("model"), format: read.get("response_format") }).toEqual({
      path: "/v1/audio/transcriptions",
      model: "inner",
      format: "vtt",
    });
    expect(await (read.get("file") as File).text()).toBe("RIFF sound");
  });

  test.each([
    ["audio/mpeg", "audio/mpeg"],
    ["text/html; charset=utf-8", "application/octet-stream"],
  ])("behavior: speech of type %s goes out as %s", async (given, expected) => {
    const { upstream, backend } = await openai((_, response) => {
      response.writeHead(200, { "content-type": given }).end("sound");
    });
    const media = await backend.speech?.({ model: "offer", input: "hi", voice: "alloy" }, never);
    expect({ type: media?.contentType, text: media && (await bytesOf(media.bytes)) }).toEqual({ type: expected, text: "sound" });
    expect(upstream.exchanges[0]?.path).toBe("/v1/audio/speech");
  });

  test("behavior: the Responses API, streamed, under the offer's name", async () => {
    const events = [
      { type: "response.created", response: { id: "r", model: "inner" } },
      { type: "response.output_text.delta", delta: "hi" },
      { type: "response.completed", response: { id: "r", model: "inner", usage: { input_tokens: 1, output_tokens: 1 } } },
    ];
    const { upstream, backend } = await openai((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
    });
    const seen = await all(backend.responses?.({ model: "offer", input: "hi" }, never));
    expect(seen.map(({ event, data }) => [event, JSON.parse(data).response?.model ?? null])).toEqual([
      ["response.created", "offer"],
      ["response.output_text.delta", null],
      ["response.completed", "offer"],
    ]);
    expect(JSON.parse(upstream.exchanges[0]?.body ?? "")).toEqual({ model: "inner", input: "hi", stream: true });
  });

  test("error: refusals of each of them keep the reason, failures do not", async () => {
    const { backend } = await openai(({ path }, response) => {
      const status = path.endsWith("/images/generations") ? 500 : 400;
      json({ error: { message: "the reason" } }, status)({} as UpstreamExchange, response);
    });
    expect(await failureOf(backend.embeddings?.({ model: "m", input: "x" }, never))).toMatchObject({
      code: "UPSTREAM_REFUSED",
      message: "the reason",
    });
    expect(await failureOf(backend.speech?.({ model: "m", input: "x", voice: "a" }, never))).toMatchObject({ code: "UPSTREAM_REFUSED" });
    expect(await failureOf(all(backend.responses?.({ model: "m", input: "x" }, never)))).toMatchObject({ code: "UPSTREAM_REFUSED" });
    expect(await failureOf(backend.images?.({ model: "m", prompt: "x" }, never))).toMatchObject({
      code: "UPSTREAM_FAILED",
      message: expect.not.stringContaining("reason"),
    });
  });
});
