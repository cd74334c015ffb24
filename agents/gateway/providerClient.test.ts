import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, errorKinds } from "@clawcompute/lib/errors";
import { createDialer } from "@clawcompute/lib/node";
import { afterEach, describe, expect, it } from "vitest";
import { readAnswer } from "./answer.ts";
import { baseUrlOf, bearer, clientLimits, createProviderClient, type ProviderClient } from "./providerClient.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function clientOf(handler: Handler, limits: Partial<typeof clientLimits> = {}, path = ""): Promise<ProviderClient> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const dialer = createDialer({ allowPrivate: true });
  closers.push(() => {
    dialer.close();
    server.close();
    server.closeAllConnections();
  });
  return createProviderClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, dialer, { ...clientLimits, ...limits });
}

const answers =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    response.writeHead(status, headers).end(body);

const chatRequest = { model: "m", messages: [{ role: "user", content: "x" }] };

describe("baseUrlOf", () => {
  it.each([
    ["https://a.example", "https://a.example/"],
    ["https://a.example/", "https://a.example/"],
    ["https://a.example/inference", "https://a.example/"],
    ["https://a.example/x/inference/", "https://a.example/x"],
    ["https://a.example/v1", "https://a.example/"],
    ["https://a.example/v1/chat/completions", "https://a.example/"],
    ["https://a.example/p/1?key=2#3", "https://a.example/p/1"],
  ])("behavior: %s", (endpoint, base) => {
    expect(baseUrlOf(endpoint).href).toBe(base);
  });

  it.each(["", "a.example", "http://", "::"])("error: %j is no URL", (endpoint) => {
    expect(() => baseUrlOf(endpoint)).toThrowError(expect.objectContaining({ code: "ENDPOINT_REFUSED" }));
  });
});

describe("createProviderClient", () => {
  it("behavior: routes hang below the endpoint's own path, with the token as bearer", async () => {
    const seen: string[] = [];
    const client = await clientOf(
      (request, response) => {
        seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
        answers(404, "{}")(request, response);
      },
      {},
      "/p/1/inference",
    );
    await expect(client.receipt("tok", "a/../b?c")).rejects.toMatchObject({ code: "PROVIDER_FAILED" });
    await expect(client.settle("tok")).rejects.toMatchObject({ code: "PROVIDER_FAILED" });
    expect(seen).toEqual(["GET /p/1/v1/receipts/a%2F..%2Fb%3Fc Bearer tok", "POST /p/1/v1/sessions/settle Bearer tok"]);
  });

  it.each<[string, Handler, string]>([
    ["a page", answers(200, "<html>"), "PROVIDER_FAILED"],
    ["another shape", answers(200, '{"status":"ok"}'), "PROVIDER_FAILED"],
    ["a wrong number", answers(200, '{"status":"ok","chainId":"x","chainTimeMs":0,"lagMs":0,"models":[]}'), "PROVIDER_FAILED"],
    ["null", answers(200, "null"), "PROVIDER_FAILED"],
    ["nothing", answers(200, ""), "PROVIDER_FAILED"],
    ["its own error", answers(429, '{"error":{"message":"full","code":"busy"}}'), "BUSY"],
    ["an error of another kind", answers(500, '{"error":{"code":400,"message":"n"}}'), "PROVIDER_FAILED"],
    ["a redirect", answers(307, "", { location: "http://127.0.0.1:1/" }), "PROVIDER_FAILED"],
    [
      "half a body",
      (_request, response) => void response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()),
      "PROVIDER_FAILED",
    ],
    ["too large a body", answers(200, `"${"x".repeat(2000)}"`), "PROVIDER_FAILED"],
    ["a body that never ends", (_request, response) => void response.writeHead(200).write("{"), "PROVIDER_TIMEOUT"],
    ["nothing at all", () => {}, "PROVIDER_TIMEOUT"],
  ])("error: health answers with %s", async (_, handler, code) => {
    const client = await clientOf(handler, { jsonBytes: 1000, healthMs: 150 });
    await expect(client.health()).rejects.toMatchObject({ code });
  });

  it("error: a refused chat carries the provider's words, but our advice", async () => {
    const client = await clientOf(answers(402, '{"error":{"message":"Too short.","code":"runway_too_short","hint":"Top up."}}'));
    await expect(client.chat(bearer("t"), chatRequest)).rejects.toMatchObject({
      code: "RUNWAY_TOO_SHORT",
      message: "Too short.",
      hint: errorKinds.RUNWAY_TOO_SHORT.hint,
    });
  });

  it("error: an answer that is not an event stream", async () => {
    const client = await clientOf(answers(200, "{}", { "content-type": "application/json" }));
    await expect(client.chat(bearer("t"), chatRequest)).rejects.toMatchObject({ code: "PROVIDER_FAILED" });
  });
});

describe("readAnswer", () => {
  const read = async (
    handler: Handler,
    options: { answerBytes?: number; stallMs?: number; firstTokenMs?: number; signal?: AbortSignal; onText?: () => void } = {},
  ) => {
    const client = await clientOf((request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      handler(request, response);
    }, options);
    const clock = { now: () => Date.now(), sleep: async () => {} };
    const { firstTokenMs = 2_000, stallMs = 2_000, signal = new AbortController().signal, onText = () => {} } = options;
    return readAnswer(await client.chat(bearer("t"), chatRequest), { clock, sentAtMs: Date.now(), firstTokenMs, stallMs, signal, onText });
  };
  const token = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;

  it("behavior: text, reason and hash, whatever the pieces on the wire", async () => {
    const whole = `: hi\r\n\r\n${token("日本")}${token("go", "stop")}data: {"choices":[],"usage":{"completion_tokens":2}}\n\ndata: {"choices":[],"clawcompute":{"r":1}}\n\ndata: [DONE]\n\n`;
    const bytes = Buffer.from(whole);
    const answer = await read((_request, response) => {
      const next = (at: number): void => {
        if (at >= bytes.length) return void response.end();
        response.write(bytes.subarray(at, at + 7), () => setImmediate(next, at + 7));
      };
      next(0);
    });
    expect({ ...answer, measuredMs: 0, firstTokenMs: 0 }).toMatchInlineSnapshot(`
      {
        "bodyHash": "0xb0c797082ffdc96ba15b56f883c8128e8972782c94aa63badcbda9b22f61c2f7",
        "failure": undefined,
        "finishReason": "stop",
        "firstTokenMs": 0,
        "measuredMs": 0,
        "signed": {
          "r": 1,
        },
        "text": "日本go",
        "usage": {
          "completion_tokens": 2,
        },
      }
    `);
  });

  it("error: more than the answer may have", async () => {
    const answer = await read(
      (_request, response) => {
        const fill = (): void => void (response.destroyed || response.write(token("x".repeat(1000)), () => setImmediate(fill)));
        fill();
      },
      { answerBytes: 20_000 },
    );
    expect(answer.failure?.message).toBe("The provider's answer is larger than 20000 bytes.");
  });

  it("error: an event larger than a mebibyte", async () => {
    const answer = await read((_request, response) => void response.end(`data: ${"x".repeat(1_200_000)}\n\n`));
    expect(answer.failure).toMatchObject({ code: "PROVIDER_FAILED" });
  });

  it("error: a token in time, then silence", async () => {
    const answer = await read((_request, response) => void response.write(token("half")), { stallMs: 80 });
    expect(answer).toMatchObject({ text: "half", failure: { code: "PROVIDER_TIMEOUT", message: "The answer stalled for 80 ms." } });
  });

  it("error: a role is not a token", async () => {
    const answer = await read(
      (_request, response) => void response.write('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'),
      { firstTokenMs: 80 },
    );
    expect(answer.failure?.message).toBe("No token within 80 ms.");
  });

  it("error: stopped: nothing that comes later counts", async () => {
    const stop = new AbortController();
    const answer = await read((_request, response) => void response.write(token("a") + token("b")), {
      signal: stop.signal,
      onText: () => stop.abort(),
    });
    expect(answer).toMatchObject({ text: "a", failure: { code: "ABORTED" } });
  });

  it("error: arbitrary bytes never make it throw", async () => {
    const { randomBytes } = await import("node:crypto");
    for (let run = 0; run < Number(process.env.FUZZ_RUNS ?? 20); run += 1) {
      const answer = await read(
        (_request, response) => void response.end(Buffer.concat([Buffer.from("data: {"), randomBytes(64), Buffer.from("}\n\n")])),
      );
      expect(answer.failure).toBeInstanceOf(AppError);
    }
  });
});
