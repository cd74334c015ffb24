import { AppError } from "@clawcompute/lib/errors";
import { type ChatRequest, chatChunk } from "@clawcompute/lib/protocol";
import { startScriptedUpstream } from "@clawcompute/lib/testing";
import { describe, expect, test } from "vitest";
import { createOpenaiBackend } from "./openai.ts";
import { createUpstreamChunks } from "./upstreamChunks.ts";
import { midAnswerError, upstreamError } from "./upstreamError.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 200);
const request: ChatRequest = { model: "offer", messages: [{ role: "user", content: "hi" }] };
const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "offer" };
const sent = [
  { ...head, choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] },
  { ...head, choices: [{ index: 0, delta: { content: "grüße 👋 \u2028 and\nlines" }, finish_reason: null }] },
  { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  { ...head, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
];
const transcript = Buffer.from(`: hello\n\n${sent.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`);

/** Seeded, so that a find can be repeated by its number. */
function random(seed: number): (below: number) => number {
  let state = (seed + 1) * 0x9e3779b9;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** Whatever JSON can hold, in the places where a server puts things. */
function anything(pick: (below: number) => number, depth = 0): unknown {
  const names = [
    "error",
    "message",
    "code",
    "type",
    "detail",
    "choices",
    "delta",
    "usage",
    "x_groq",
    "finish_reason",
    "index",
    "model",
    "content",
  ];
  switch (pick(depth > 3 ? 6 : 8)) {
    case 0:
      return null;
    case 1:
      return pick(2) === 1;
    case 2:
      return pick(1000) - 500;
    case 3:
      return "context length exceeded ".repeat(pick(3));
    case 4:
      return "\u0000\ud800 https://x.example/?k=v sk-abcdefgh1234";
    case 5:
      return 1e308 * pick(10);
    case 6:
      return Array.from({ length: pick(4) }, () => anything(pick, depth + 1));
    default:
      return Object.fromEntries(Array.from({ length: pick(5) }, () => [names[pick(names.length)], anything(pick, depth + 1)]));
  }
}

async function answerOf(pieces: readonly Buffer[]): Promise<{ chunks: string[]; failed: unknown }> {
  const upstream = await startScriptedUpstream((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of pieces) response.write(piece);
    response.end();
  });
  const backend = createOpenaiBackend({ kind: "openai", baseUrl: upstream.origin });
  const chunks: string[] = [];
  try {
    for await (const chunk of backend.chat(request, new AbortController().signal)) chunks.push(chunk);
    return { chunks, failed: undefined };
  } catch (failed) {
    return { chunks, failed };
  } finally {
    await backend.close();
    await upstream.close();
  }
}

describe("openai backend, fuzzed", () => {
  test("behavior: an answer is the same however its bytes are cut", async () => {
    for (let run = 0; run < RUNS / 4; run++) {
      const pick = random(run);
      const pieces: Buffer[] = [];
      for (let at = 0; at < transcript.length; ) {
        const size = 1 + pick(run % 2 === 0 ? 5 : 200);
        pieces.push(transcript.subarray(at, at + size));
        at += size;
      }
      const { chunks, failed } = await answerOf(pieces);
      expect({ run, failed, chunks: chunks.map((chunk) => JSON.parse(chunk)) }).toEqual({ run, failed: undefined, chunks: sent });
    }
  });

  test("error: damaged answers throw only AppError, and what was passed on are chunks", async () => {
    for (let run = 0; run < RUNS / 2; run++) {
      const pick = random(run);
      const bytes = Buffer.from(transcript);
      for (let change = 0; change <= pick(6); change++) bytes[pick(bytes.length)] = pick(256);
      const from = pick(bytes.length);
      const { chunks, failed } = await answerOf([bytes.subarray(0, from), bytes.subarray(pick(2) === 0 ? from : pick(bytes.length))]);
      expect([run, failed === undefined || failed instanceof AppError]).toEqual([run, true]);
      for (const chunk of chunks)
        expect([run, chatChunk.safeParse(JSON.parse(chunk)).success || chunk.includes('"choices"')]).toEqual([run, true]);
    }
  });

  test("error: whatever JSON an event or an error body holds, only AppError comes out, bounded and without keys", () => {
    for (let run = 0; run < RUNS * 10; run++) {
      const pick = random(run);
      const value = anything(pick);
      const errors = [upstreamError({ status: 400 + pick(200), body: value, retryAfter: String(anything(pick)) }), midAnswerError(value)];
      try {
        createUpstreamChunks({ model: "offer" }).take(JSON.stringify(value));
      } catch (error) {
        expect([run, error]).toEqual([run, expect.any(AppError)]);
        errors.push(error as AppError);
      }
      for (const { message, retryAfterSeconds = 1 } of errors) {
        expect([
          run,
          message.length <= 600 && !/sk-abc|x\.example/.test(message) && retryAfterSeconds >= 1 && retryAfterSeconds <= 300,
        ]).toEqual([run, true]);
      }
    }
  });
});
