import { createCompletion } from "@clawcompute/lib/protocol";
import { describe, expect, test } from "vitest";
import { endReasonOf, isUsageOnly, readChunk } from "./chunks.ts";

const head = { id: "c", created: 1, model: "m" };
const put = (chunks: unknown[]) => {
  const completion = createCompletion();
  for (const chunk of chunks) completion.add(JSON.stringify(chunk));
  return completion;
};

describe("createCompletion", () => {
  test("behavior: text, reasoning, usage and several choices", () => {
    const completion = put([
      { choices: [{ index: 1, delta: { role: "assistant", content: null } }] },
      { choices: [{ index: 0, delta: { role: "assistant", content: "He" }, logprobs: { content: [1] } }] },
      { choices: [{ index: 0, delta: { content: "llo", reasoning_content: "why" }, logprobs: { content: [2] } }] },
      { choices: [{ index: 1, delta: { content: "Hi" }, finish_reason: "length" }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
    ]);
    expect(completion.text()).toBe("Hello");
    expect(completion.body(head)).toEqual({
      ...head,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hello", reasoning_content: "why" },
          logprobs: { content: [1, 2] },
          finish_reason: "stop",
        },
        { index: 1, message: { role: "assistant", content: "Hi" }, logprobs: null, finish_reason: "length" },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    });
  });

  test("behavior: tool calls are joined by their index", () => {
    const call = (index: number, more: object) => ({ choices: [{ index: 0, delta: { tool_calls: [{ index, ...more }] } }] });
    const { choices } = put([
      call(0, { id: "a", type: "function", function: { name: "weather", arguments: "" } }),
      call(1, { id: "b", type: "function", function: { name: "time", arguments: "{}" } }),
      call(0, { function: { arguments: '{"city":' } }),
      call(0, { function: { arguments: '"Bern"}' } }),
      { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
    ]).body(head) as { choices: unknown[] };
    expect(choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: null,
        tool_calls: [
          { id: "a", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } },
          { id: "b", type: "function", function: { name: "time", arguments: "{}" } },
        ],
      },
    });
  });
});

describe("readChunk", () => {
  const read = (chunk: unknown) => readChunk(JSON.stringify(chunk));

  test("behavior: a role or an empty delta is no content; text, a tool call or a reasoning is", () => {
    const has = (delta: object) => read({ choices: [{ delta }] }).hasContent;
    expect([{ role: "assistant" }, { role: "assistant", content: "" }, { content: null }, {}, { tool_calls: [] }].map(has)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect([{ content: " " }, { tool_calls: [{ index: 0 }] }, { reasoning: "x" }].map(has)).toEqual([true, true, true]);
  });

  test("behavior: usage with nonsense counts as nothing", () => {
    const facts = read({ choices: [], usage: { prompt_tokens: -1, completion_tokens: "7" } });
    expect(facts.usage).toEqual({ unitsIn: 0, unitsOut: 0 });
    expect(isUsageOnly(facts)).toBe(true);
  });

  test.each(["not json", '{"error":{"message":"boom"}}'])("error: %s", (data) => {
    expect(() => readChunk(data)).toThrow(expect.objectContaining({ code: "UPSTREAM_FAILED" }));
  });

  test.each(["null", "1", '"x"', "[]", '{"choices":7}', '{"choices":[null,{"index":-1,"finish_reason":3}]}', '{"usage":null}'])(
    "behavior: strange but harmless: %s",
    (data) => expect(readChunk(data).choices.every(({ finish }) => finish === undefined)).toBe(true),
  );
});

test.each([
  ["stop", "stop"],
  ["length", "length"],
  ["tool_calls", "tool_calls"],
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
  ["eos_token", "stop"],
])("behavior: an engine's %s is a receipt's %s", (finish, reason) => expect(endReasonOf(finish)).toBe(reason));
