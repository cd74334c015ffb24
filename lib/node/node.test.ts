import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AppError } from "../errors/index.ts";
import { createFakeClock } from "../testing/fakeClock.ts";
import { createApp, createLogger, createMetrics, createShutdown, listen, readBody, readJson, runLoop, stripUrls } from "./index.ts";

const lines: string[] = [];
const logger = createLogger({ name: "test", level: "trace", destination: { write: (line) => lines.push(line) } });

describe("runLoop", () => {
  test("behavior: never two steps at a time, backs off after failures, stops on abort", async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const at: number[] = [];
    const start = clock.now();
    let fail = 2;
    const running = runLoop({ name: "t", everyMs: 1000, clock, signal: controller.signal, logger }, async () => {
      at.push(clock.now() - start);
      if (fail-- > 0) throw new Error("not yet");
    });
    await clock.tick(10_000);
    controller.abort();
    await running;
    expect(at).toEqual([0, 2000, 6000, 7000, 8000, 9000, 10_000]);
  });
});

describe("logger", () => {
  test("behavior: secrets and URLs do not reach a line (P12)", () => {
    lines.length = 0;
    const cause = new Error("GET https://user:pw@rpc.example/v2/SECRET?key=SECRET failed");
    logger.error(
      { privateKey: "SECRET", a: { token: "SECRET" }, headers: { authorization: "SECRET" }, err: new Error("outer", { cause }) },
      "x",
    );
    expect(lines.join("")).not.toContain("SECRET");
    expect(lines.join("")).toContain("https://rpc.example/…");
    expect(stripUrls("postgres://u:p@db:5432/x")).toBe("postgres://db:5432/…");
  });
});

describe("shutdown", () => {
  test("behavior: steps run once, newest first, and a failing one stops nothing", async () => {
    const order: string[] = [];
    const shutdown = createShutdown(logger);
    shutdown.onStop("first", () => void order.push("first"));
    shutdown.onStop("bad", () => Promise.reject(new Error("no")));
    shutdown.onStop("last", () => void order.push("last"));
    await Promise.all([shutdown.stop("test"), shutdown.stop("again")]);
    expect(order).toEqual(["last", "first"]);
    expect(shutdown.signal.aborted).toBe(true);
  });
});

describe("createApp, listen", () => {
  const metrics = createMetrics("test", false);
  const app = createApp({ logger, metrics, corsOrigin: "*" });
  app.get("/fine", (c) => c.json({ ok: true }));
  app.get("/known", () => {
    throw new AppError("BUSY", "All slots are taken.", { retryAfterSeconds: 2.2 });
  });
  app.get("/unknown", () => {
    throw new Error("stack and secrets");
  });
  app.post("/body", async (c) => c.json(await readJson(c, z.object({ a: z.object({ b: z.string() }) }), 100)));

  test("behavior: a known error decides its status and headers", async () => {
    const response = await app.request("/known", { headers: { "x-request-id": "r-1" } });
    expect([response.status, response.headers.get("retry-after"), response.headers.get("x-request-id")]).toEqual([429, "3", "r-1"]);
    expect(await response.json()).toMatchObject({ error: { code: "busy", type: "rate_limit_error" } });
  });

  test("behavior: an unknown error shows nothing of itself", async () => {
    const response = await app.request("/unknown");
    expect(response.status).toBe(500);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.text()).not.toContain("secrets");
  });

  test.each([
    ["not json", "BAD_JSON", undefined, 400],
    [JSON.stringify({ a: { b: 1 } }), "BAD_REQUEST", "a.b", 400],
    [JSON.stringify({ a: { b: "x".repeat(200) } }), "BODY_TOO_LARGE", undefined, 413],
  ])("error: body %j", async (body, code, param, status) => {
    const response = await app.request("/body", { method: "POST", body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: code.toLowerCase(), param: param ?? null } });
  });

  test("error: a body that drips is given up", async () => {
    const drip = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"a"')) });
    const slow = createApp({ logger });
    slow.post("/", async (c) => c.body((await readBody(c, 100, 20)).toString()));
    const response = await slow.request("/", { method: "POST", body: drip, duplex: "half" } as RequestInit);
    expect(await response.json()).toMatchObject({ status: 408, error: { code: "body_too_slow" } });
  });

  test("behavior: unknown paths say so; metrics count routes, not paths", async () => {
    expect((await app.request("/nothing/here")).status).toBe(404);
    await app.request("/fine");
    const text = await metrics.render();
    expect(text).toContain('clawcompute_test_http_seconds_count{route="/fine",status="200"} 1');
    expect(text).not.toContain("nothing");
  });

  test("error: a taken port is named", async () => {
    const first = await listen(app, { port: 0, host: "127.0.0.1" });
    await expect(listen(app, { port: first.port, host: "127.0.0.1" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: `port ${first.port} is taken`,
    });
    expect(await (await fetch(`${first.url}/fine`)).json()).toEqual({ ok: true });
    await first.close();
  });

  test("behavior: closing cuts what does not end in time", async () => {
    const listening = await listen(app, { port: 0, host: "127.0.0.1" });
    const socket = connect(listening.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write("POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nslow");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await listening.close(50);
    await closed;
  });
});
