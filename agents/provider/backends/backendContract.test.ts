import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, toProblem } from "@clawcompute/lib/errors";
import { systemClock } from "@clawcompute/lib/node";
import { type ChatChunk, type ChatRequest, chatChunk, chatRequest, encodeSse } from "@clawcompute/lib/protocol";
import { startScriptedUpstream, type UpstreamExchange, writeTinyModel } from "@clawcompute/lib/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, createBackend } from "./index.ts";

const deps = { clock: systemClock };
const SAY = "Whoever pays by the second may stop at any time.";
const folder = await mkdtemp(join(tmpdir(), "claw-backends-"));
const sentence = join(folder, "sentence.gguf");
const endless = join(folder, "endless.gguf");
const never = new AbortController().signal;

interface Subject {
  readonly backend: Backend;
  /** A request that is answered with SAY. */
  readonly asking: Partial<ChatRequest>;
  /** A backend and a request whose answer is too long to end by itself during a test. */
  readonly long: { readonly backend: Backend; readonly asking: Partial<ChatRequest> };
  close(): Promise<void>;
}

const subjects: Record<Backend["name"], () => Promise<Subject>> = {
  llama: async () => llamaSubject(),
  echo: async () => {
    const backend = createBackend({ kind: "echo" }, deps);
    const words = "round and about ".repeat(100_000);
    return {
      backend,
      asking: {},
      long: { backend, asking: { messages: [{ role: "user", content: words }] } },
      close: () => backend.close(),
    };
  },
  openai: () => remoteSubject((origin) => createBackend({ kind: "openai", baseUrl: origin, model: "upstream-name" }, deps)),
  groq: () =>
    remoteSubject((origin) =>
      createBackend({ kind: "groq", baseURL: origin, apiKey: "gsk_0123456789abcdefghij", model: "upstream-name" }, deps),
    ),
};

function llamaSubject(): Subject {
  const backend = createBackend({ kind: "llama", ggufPath: sentence, contextTokens: 1024 }, deps);
  const long = createBackend({ kind: "llama", ggufPath: endless, contextTokens: 65_536, slots: 1 }, deps);
  return {
    backend,
    asking: {},
    long: { backend: long, asking: {} },
    close: async () => {
      await backend.close();
      await long.close();
    },
  };
}

/** The remote engines speak to a real model too: ours, behind an HTTP face as OpenAI and Groq have it. */
async function remoteSubject(connect: (origin: string) => Backend): Promise<Subject> {
  const behind = llamaSubject();
  const short = await startScriptedUpstream((exchange, response) => face(behind.backend, exchange, response));
  const long = await startScriptedUpstream((exchange, response) => face(behind.long.backend, exchange, response));
  const backend = connect(short.origin);
  const longBackend = connect(long.origin);
  return {
    backend,
    asking: {},
    long: { backend: longBackend, asking: {} },
    close: async () => {
      await Promise.all([backend.close(), longBackend.close(), short.close(), long.close()]);
      await behind.close();
    },
  };
}

async function face(backend: Backend, { path, body, gone }: UpstreamExchange, response: ServerResponse): Promise<void> {
  const json = (status: number, value: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  if (path.endsWith("/models")) return void json(200, { object: "list", data: [{ id: "upstream-name" }] });
  if (path.endsWith("/models/upstream-name")) return void json(200, { id: "upstream-name", object: "model" });
  try {
    for await (const chunk of backend.chat(chatRequest.parse(JSON.parse(body)), gone)) {
      if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
      if (!response.write(encodeSse(chunk))) await Promise.race([once(response, "drain"), once(response, "close")]);
    }
    response.end(encodeSse("[DONE]"));
  } catch (error) {
    if (!gone.aborted) json(AppError.from(error).status, toProblem(AppError.from(error)));
  }
}

const asking = (rest: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "offer-name",
  messages: [{ role: "user", content: SAY }],
  ...rest,
});

async function answerOf(backend: Backend, request: ChatRequest, signal = never): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const text of backend.chat(request, signal)) chunks.push(chatChunk.parse(JSON.parse(text)));
  return chunks;
}
const textOfChunks = (chunks: readonly ChatChunk[]) => chunks.map((chunk) => chunk.choices?.[0]?.delta?.content ?? "").join("");
const finishOf = (chunks: readonly ChatChunk[]) => chunks.map((chunk) => chunk.choices?.[0]?.finish_reason).filter(Boolean);

beforeAll(async () => {
  await writeTinyModel(sentence, { say: SAY });
  await writeTinyModel(endless, { say: "round and about", cycle: true, ctx: 65_536 });
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(Object.keys(subjects) as Backend["name"][])("%s backend", (name) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await subjects[name]();
  });
  afterAll(() => subject.close());

  test("behavior: names itself and proves that the model can be used", async () => {
    expect(subject.backend.name).toBe(name);
    await subject.backend.check(never);
  });

  test("behavior: answers in chunks that end with a finish_reason, then usage in a chunk of its own", async () => {
    const chunks = await answerOf(subject.backend, asking({ stream: true, stream_options: { include_usage: false }, an_unknown_field: 1 }));
    expect(textOfChunks(chunks)).toBe(SAY);
    expect(finishOf(chunks)).toEqual(["stop"]);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage == null && chunk.choices?.length === 1)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 10, prompt_tokens: expect.any(Number) } });
    expect(new Set(chunks.map((chunk) => chunk.model))).toEqual(new Set(["offer-name"]));
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  });

  test("behavior: sends text as it comes, not at the end", async () => {
    const chunks = await answerOf(subject.backend, asking());
    expect(chunks.filter((chunk) => chunk.choices?.[0]?.delta?.content).length).toBeGreaterThanOrEqual(9);
  });

  test("behavior: content may be an array of parts", async () => {
    const content = [
      { type: "text", text: "Whoever pays by the second " },
      { type: "text", text: "may stop at any time." },
    ];
    expect(textOfChunks(await answerOf(subject.backend, asking({ messages: [{ role: "user", content }] })))).toBe(SAY);
  });

  test.each(["max_tokens", "max_completion_tokens"])("behavior: %s cuts the answer and says so", async (field) => {
    const chunks = await answerOf(subject.backend, asking({ [field]: 3 }));
    expect(textOfChunks(chunks).trim()).toBe("Whoever pays by");
    expect(finishOf(chunks)).toEqual(["length"]);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(3);
  });

  test("behavior: ends before a stop sequence, also one that spans words", async () => {
    const chunks = await answerOf(subject.backend, asking({ stop: ["second may", "never"] }));
    expect(textOfChunks(chunks).trim()).toBe("Whoever pays by the");
    expect(finishOf(chunks)).toEqual(["stop"]);
  });

  test("behavior: answers several requests at once", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => answerOf(subject.backend, asking())));
    expect(answers.map(textOfChunks)).toEqual(Array.from({ length: 6 }, () => SAY));
  });

  test("error: an aborted signal stops it before it begins", async () => {
    const reason = new AppError("CLIENT_GONE", "gone");
    await expect(answerOf(subject.backend, asking(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("error: an abort in the middle throws its reason, and the place is free again", async () => {
    for (let round = 0; round < 3; round++) {
      const leaving = new AbortController();
      const reason = new AppError("CLIENT_GONE", "gone");
      const { backend, asking: rest } = subject.long;
      const read = async () => {
        let seen = 0;
        for await (const _ of backend.chat(asking(rest), leaving.signal)) if (++seen === 5) leaving.abort(reason);
        return seen;
      };
      await expect(read()).rejects.toBe(reason);
    }
  });

  test("behavior: a consumer that leaves early frees the place", async () => {
    const { backend, asking: rest } = subject.long;
    for (let round = 0; round < 3; round++) {
      let seen = 0;
      for await (const _ of backend.chat(asking(rest), never)) if (++seen === 5) break;
      expect(seen).toBe(5);
    }
  });

  test.skipIf(name === "echo")("error: what the engine cannot read is the request's fault, with the reason", async () => {
    await expect(answerOf(subject.backend, asking({ messages: [{ role: "user", content: "x".repeat(2_000) }] }))).rejects.toMatchObject({
      code: "CONTEXT_TOO_LONG",
      param: "messages",
    });
    await expect(answerOf(subject.backend, asking({ messages: [{ role: "wizard", content: "x" }] }))).rejects.toMatchObject({
      code: "UPSTREAM_REFUSED",
      message: expect.stringContaining("messages.0.role"),
    });
  });
});
