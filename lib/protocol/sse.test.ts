import { expect, test } from "vitest";
import { encodeSse, parseSse, type SseEvent } from "./sse.ts";

async function read(chunks: readonly (string | Uint8Array)[]): Promise<SseEvent[]> {
  const encoder = new TextEncoder();
  async function* bytes() {
    for (const chunk of chunks) yield typeof chunk === "string" ? encoder.encode(chunk) : chunk;
  }
  const events: SseEvent[] = [];
  for await (const event of parseSse(bytes())) events.push(event);
  return events;
}

test("behavior: data, event names, comments and several data lines", async () => {
  expect(await read([': keep-alive\n\ndata: {"a":1}\n\nevent: x\ndata:one\ndata: two\n\ndata: [DONE]\n\n'])).toEqual([
    { data: "", comment: "keep-alive" },
    { data: '{"a":1}' },
    { data: "one\ntwo", event: "x" },
    { data: "[DONE]" },
  ]);
});

test("behavior: the same events however the bytes are cut, with LF, CRLF or CR", async () => {
  const text = "data: grüße 🦀\n\n: c\n\ndata: b\n\n";
  for (const line of ["\n", "\r\n", "\r"]) {
    const bytes = new TextEncoder().encode(text.replaceAll("\n", line));
    for (let at = 1; at < bytes.length; at++) {
      const events = await read([bytes.slice(0, at), bytes.slice(at), "\n"]);
      expect(events).toEqual([{ data: "grüße 🦀" }, { data: "", comment: "c" }, { data: "b" }]);
    }
  }
});

test("behavior: an event that was cut off is not reported", async () => {
  expect(await read(["data: whole\n\ndata: brok"])).toEqual([{ data: "whole" }]);
  expect(await read(["data: whole\n\ndata: no blank line\n"])).toEqual([{ data: "whole" }]);
});

test("behavior: what is encoded is read back", async () => {
  for (const data of ["x", "a\nb", '{"t":"\\n"}']) expect(await read([encodeSse(data)])).toEqual([{ data }]);
});

test("error: an endless event is refused", async () => {
  await expect(read(["data: ", ...Array<string>(20).fill("x".repeat(100_000))])).rejects.toMatchObject({ code: "PROVIDER_FAILED" });
});
