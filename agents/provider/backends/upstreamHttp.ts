import http from "node:http";
import https from "node:https";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { connectionError, upstreamError } from "./upstreamError.ts";
import { type UpstreamTimeouts, type UpstreamWatch, watchUpstream } from "./upstreamWatch.ts";

export interface UpstreamHttpConfig {
  /** `http://host:port/v1` and the like; a bare origin means its `/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  readonly timeouts: UpstreamTimeouts;
}

export interface UpstreamRequest {
  readonly method: "GET" | "POST";
  /** Below the base URL, such as `/chat/completions`. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly bytes: Buffer };
  readonly accept: string;
  readonly signal: AbortSignal;
  /** Instead of the usual ones. */
  readonly timeouts?: UpstreamTimeouts;
}

/** A 2xx answer. Its body must be read to the end, drained or left: the iteration's end frees the connection. */
export interface UpstreamAnswer {
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly watch: UpstreamWatch;
  /** Nothing more is of interest: lets the connection finish by itself, so that it can be used again. */
  drain(): void;
}

/** An engine's server over kept-alive connections. */
export interface UpstreamHttp {
  /** Throws what upstreamError and connectionError make of a refusal or a failure, UPSTREAM_TIMEOUT, or the signal's reason. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
  close(): void;
}

const MAX_ANSWER = 64 * 1_048_576;
const MAX_ERROR = 65_536;
const DRAIN_MS = 1_000;

export function createUpstreamHttp(config: UpstreamHttpConfig, clock: Clock): UpstreamHttp {
  const base = parseBaseUrl(config.baseUrl);
  const transport = base.protocol === "https:" ? https : http;
  const agent = new transport.Agent({ keepAlive: true, scheduling: "lifo" });

  const open = (request: UpstreamRequest) =>
    transport.request({
      agent,
      method: request.method,
      hostname: base.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: base.port,
      path: `${base.pathname}${request.path}${base.search}`,
      headers: {
        accept: request.accept,
        "accept-encoding": "identity",
        "user-agent": "clawcompute-provider",
        ...(config.apiKey && { authorization: `Bearer ${config.apiKey}` }),
        ...(request.body && { "content-type": request.body.type, "content-length": request.body.bytes.length }),
      },
    });

  function attempt(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { signal } = request;
    return new Promise((resolve, reject) => {
      const outgoing = open(request);
      let failure: unknown;
      let answer: http.IncomingMessage | undefined;
      const fail = (reason: unknown) => {
        failure ??= reason;
        const cause = reason instanceof Error ? reason : new Error("aborted", { cause: reason });
        (answer ?? outgoing).destroy(cause);
      };
      const watch = watchUpstream(clock, request.timeouts ?? config.timeouts, fail);
      const onAbort = () => fail(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const settle = () => {
        watch.done();
        signal.removeEventListener("abort", onAbort);
      };

      outgoing.once("socket", (socket) => {
        if (!socket.connecting) watch.connected();
        else socket.once(base.protocol === "https:" ? "secureConnect" : "connect", watch.connected);
      });
      outgoing.on("error", (error) => {
        // Once the answer is there, its own reader reports what went wrong.
        if (answer) return;
        settle();
        reject(failure ?? Object.assign(error, { reused: outgoing.reusedSocket }));
      });
      outgoing.once("response", (response) => {
        answer = response;
        watch.headers();
        const reader = readAnswer(response, { watch, settle, failure: () => failure, clock });
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300)
          return resolve({
            contentType: response.headers["content-type"] ?? "",
            watch,
            bytes: reader.bytes(MAX_ANSWER),
            drain: reader.drain,
          });
        const retryAfter = response.headers["retry-after"];
        collect(reader.bytes(MAX_ERROR)).then(
          (bytes) => reject(upstreamError({ status, body: parseIfJson(bytes.toString("utf8")), retryAfter, secret: config.apiKey })),
          // The reason did not fit or did not come: the status is what counts.
          (error) =>
            reject(failure ?? (error instanceof AppError ? upstreamError({ status, body: "", retryAfter }) : connectionError(error))),
        );
      });
      outgoing.end(request.body?.bytes);
    });
  }

  return {
    async send(request) {
      request.signal.throwIfAborted();
      try {
        return await attempt(request);
      } catch (error) {
        if (!isNetworkError(error)) throw error;
        // A server may close an idle connection at the moment it is used again. Nothing was heard yet, so one more try is safe.
        if (error.reused && error.code === "ECONNRESET") return await attempt(request).catch(rethrow);
        throw connectionError(error);
      }
    },
    close: () => agent.destroy(),
  };
}

function rethrow(error: unknown): never {
  throw isNetworkError(error) ? connectionError(error) : error;
}

/** http(s) only; a name and password in the URL are refused, because URLs end up in logs. */
export function parseBaseUrl(text: string): URL {
  const invalid = (reason: string, hint: string) =>
    new AppError("CONFIG_INVALID", `The model server's URL ${reason}.`, { param: "baseUrl", hint });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw invalid("cannot be read", "Give it like http://127.0.0.1:11434/v1.");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw invalid("must begin with http:// or https://", "Give it like http://127.0.0.1:11434/v1.");
  if (url.username || url.password) throw invalid("must not hold a name or password", "Give the key as the API key instead.");
  url.pathname = url.pathname.replace(/(\/chat\/completions)?\/*$/, "") || "/v1";
  url.hash = "";
  return url;
}

interface Reading {
  readonly watch: UpstreamWatch;
  readonly settle: () => void;
  readonly failure: () => unknown;
  readonly clock: Clock;
}

function readAnswer(response: http.IncomingMessage, { watch, settle, failure, clock }: Reading) {
  let draining = false;
  async function* bytes(limit: number): AsyncGenerator<Uint8Array> {
    let total = 0;
    try {
      for await (const chunk of response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        watch.heard();
        total += chunk.length;
        if (total > limit)
          throw new AppError("UPSTREAM_FAILED", "The answer of the model behind this provider is too large.", { facts: { limit } });
        yield chunk;
      }
      if (!response.complete) throw connectionError(Object.assign(new Error("closed early"), { code: "ECONNRESET" }));
    } catch (error) {
      throw failure() ?? (error instanceof AppError ? error : connectionError(error));
    } finally {
      settle();
      if (draining && !response.complete) leave(response, clock);
      else if (!response.complete) response.destroy();
    }
  }
  return {
    bytes,
    drain: () => {
      draining = true;
    },
  };
}

function leave(response: http.IncomingMessage, clock: Clock): void {
  const over = new AbortController();
  response.on("error", () => {}).once("close", () => over.abort());
  response.resume();
  clock.sleep(DRAIN_MS, over.signal).then(
    () => response.destroy(),
    () => {},
  );
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

export function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isNetworkError = (error: unknown): error is Error & { code?: string; reused?: boolean } =>
  error instanceof Error && "reused" in error;
