import type { AppError } from "@clawcompute/lib/errors";
import type { SseEvent } from "@clawcompute/lib/protocol";
import { describe, expect, test } from "vitest";
import { assertCaps, estimateTokens } from "../caps.ts";
import { createCompletionWork } from "./chunkWork.ts";
import { createMediaEventWork } from "./mediaEventWork.ts";
import { createResponsesWork } from "./responsesWork.ts";
import type { Piece } from "./work.ts";

const never = new AbortController().signal;
const piece = (fields: object): Piece => ({ data: JSON.stringify(fields) });
const nothing = async function* (): AsyncGenerator<SseEvent> {};
const responses = () => createResponsesWork(nothing, { model: "m", input: "x" });

describe("createResponsesWork", () => {
  test("behavior: cut, it ends as incomplete with what was said so far", () => {
    const work = responses();
    const item = { id: "rs_1", type: "reasoning", summary: [] };
    const seen = [
      {
        type: "response.created",
        sequence_number: 0,
        response: { id: "r", object: "response", status: "in_progress", output: [], tools: [] },
      },
      { type: "response.output_item.done", sequence_number: 1, output_index: 0, item },
      { type: "response.output_text.delta", sequence_number: 2, output_index: 1, delta: "half an " },
      { type: "response.output_text.delta", sequence_number: 3, output_index: 1, delta: "ans" },
    ];
    expect(seen.map((event) => work.take(piece(event)).hasContent)).toEqual([false, true, true, true]);
    expect([work.isWhole(), work.body()]).toEqual([false, undefined]);
    const [end] = work.cutOff();
    const message = { role: "assistant", status: "incomplete", content: [{ type: "output_text", text: "half an ans" }] };
    const response = { id: "r", status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [item, message] };
    expect(end?.event).toBe("response.incomplete");
    expect(JSON.parse(String(end?.data))).toMatchObject({ type: "response.incomplete", sequence_number: 4, response });
    expect(JSON.parse(String(work.body()?.bytes))).toMatchObject(response);
    expect(JSON.parse(String(work.ending({ a: 1 })[0]?.data))).toEqual({ type: "keepalive", sequence_number: 5, clawcompute: { a: 1 } });
  });

  test.each([
    [{ status: "completed", output: [{ type: "message" }] }, "stop"],
    [{ status: "completed", output: [{ type: "function_call" }] }, "tool_calls"],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [] }, "length"],
    [{ status: "incomplete", incomplete_details: { reason: "content_filter" }, output: [] }, "content_filter"],
  ])("behavior: %j ends as %s", (response, reason) => {
    const work = responses();
    work.take(piece({ type: `response.${response.status}`, response }));
    expect([work.isWhole(), work.endReason()]).toEqual([true, reason]);
  });

  test("error: a failed response, and what is no event", () => {
    const failure = { code: "UPSTREAM_FAILED" };
    expect(() => responses().take(piece({ type: "response.failed", response: {} }))).toThrow(expect.objectContaining(failure));
    for (const data of ["", "nonsense", "[", '{"type":'])
      expect(() => responses().take({ data })).toThrow(expect.objectContaining(failure));
    for (const data of ["1", "null", "[]", '{"type":7,"output_index":-1,"response":"x"}', '{"type":"response.output_text.delta"}']) {
      expect(() => responses().take({ data })).not.toThrow();
    }
  });
});

describe("createCompletionWork", () => {
  test("behavior: cut in one piece, each choice that had not ended says length", () => {
    const work = createCompletionWork(async function* () {}, { model: "m", prompt: "x", n: 2 }, { requestId: "r", startedAtMs: 5_000 });
    work.take(piece({ choices: [{ index: 0, text: "ab", finish_reason: "stop" }] }));
    work.take(piece({ choices: [{ index: 1, text: "c", finish_reason: null }] }));
    expect(work.isWhole()).toBe(false);
    work.cutOff();
    expect(JSON.parse(String(work.body()?.bytes))).toEqual({
      id: "cmpl-r",
      object: "text_completion",
      created: 5,
      model: "m",
      choices: [
        { index: 0, text: "ab", logprobs: null, finish_reason: "stop" },
        { index: 1, text: "c", logprobs: null, finish_reason: "length" },
      ],
    });
  });
});

describe("createMediaEventWork", () => {
  const bytesOf = async function* (text: string) {
    yield new TextEncoder().encode(text);
  };
  const run = async (contentType: string, text: string) => {
    const work = createMediaEventWork({
      run: async () => ({ contentType, bytes: bytesOf(text) }),
      done: "transcript.text.done",
      unitsIn: 3,
    });
    const pieces: Piece[] = [];
    for await (const one of work.start(never)) {
      work.take(one);
      pieces.push(one);
    }
    return { work, events: pieces.map(({ data }) => JSON.parse(String(data))) };
  };

  test("behavior: an engine that cannot stream answers with one event", async () => {
    const { work, events } = await run("application/json", '{"text":"hello","language":"en"}');
    expect([events, work.isWhole()]).toEqual([[{ type: "transcript.text.done", text: "hello", language: "en" }], true]);
    expect((await run("text/plain; charset=utf-8", "hello")).events).toEqual([{ type: "transcript.text.done", text: "hello" }]);
  });

  test("error: events that break off are not whole; an error among them fails", async () => {
    const { work } = await run("text/event-stream", 'data: {"type":"transcript.text.delta","delta":"he"}\n\n');
    expect(work.isWhole()).toBe(false);
    await expect(run("text/event-stream", 'data: {"error":{"message":"x"}}\n\n')).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
    await expect(run("text/event-stream", "data: nonsense\n\n")).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
  });
});

describe("assertCaps", () => {
  const codeOf = (work: () => unknown) => {
    try {
      return work();
    } catch (error) {
      return (error as AppError).code;
    }
  };

  test("behavior: text counts, at four bytes a token; pictures inside do not", () => {
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(4_000)}` } };
    expect(estimateTokens([{ role: "user", content: "12345678" }])).toBe(3);
    expect(estimateTokens([{ content: [{ type: "text", text: "12345678" }, picture] }])).toBe(6);
    expect([estimateTokens("äöüß"), estimateTokens([1, 2, 3]), estimateTokens(null)]).toEqual([2, 3, 0]);
  });

  test("behavior: inputs that are read one by one are measured one by one; reading all of them takes its time", () => {
    const prompt = ["x".repeat(40), "x".repeat(40)];
    const caps = { contextTokens: 10, promptTokensPerSecond: 10 };
    expect(assertCaps(caps, { prompt, promptField: "input", apart: true })).toEqual({ readingMs: 2_000 });
    expect(codeOf(() => assertCaps(caps, { prompt, promptField: "input" }))).toBe("CONTEXT_TOO_LONG");
    expect(codeOf(() => assertCaps({ outputTokens: 5 }, { prompt, promptField: "input", outputTokens: 6 }))).toBe("OUTPUT_CAP_TOO_HIGH");
    expect(assertCaps({}, { prompt, promptField: "input", outputTokens: 1e9 })).toEqual({ readingMs: 0 });
  });
});
