import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { processInput } from "./chatInput.ts";

const never = new AbortController().signal;

/** What a process has, with or without a keyboard and a screen. */
function surroundings(isTTY: boolean) {
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => stdin });
  const stderr = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  let shown = "";
  stderr.on("data", (chunk) => {
    shown += chunk;
  });
  return { stdin, shown: () => shown, io: { stdin, stderr } as unknown as NodeJS.Process };
}

describe("processInput", () => {
  it("behavior: piped lines come one by one, then the end, without a prompt", async () => {
    const { stdin, io, shown } = surroundings(false);
    const input = processInput(io);
    stdin.end("one\ntwo\nthree");
    expect([
      await input.line("> ", never),
      await input.line("> ", never),
      await input.line("> ", never),
      await input.line("> ", never),
    ]).toEqual(["one", "two", "three", undefined]);
    expect({ isTty: input.isTty, shown: shown() }).toEqual({ isTty: false, shown: "" });
    input.close();
  });

  it("behavior: at a terminal it prompts; Ctrl-C is an interrupt, Ctrl-D the end", async () => {
    const { stdin, io, shown } = surroundings(true);
    const input = processInput(io);
    let interrupts = 0;
    input.onInterrupt(() => {
      interrupts += 1;
    });
    const first = input.line("> ", never);
    stdin.write("hello\r");
    expect(await first).toBe("hello");
    expect(shown()).toContain("> ");
    const second = input.line("> ", never);
    stdin.write("\u0003");
    stdin.write("\u0004");
    expect(await second).toBeUndefined();
    expect(interrupts).toBe(1);
    input.close();
  });

  it("behavior: a signal ends the waiting, and closing leaves no listener behind", async () => {
    const before = process.listenerCount("SIGINT");
    const { io } = surroundings(false);
    const input = processInput(io);
    const stop = new AbortController();
    const waiting = input.line("> ", stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(process.listenerCount("SIGINT")).toBe(before + 1);
    input.close();
    expect(process.listenerCount("SIGINT")).toBe(before);
  });
});
