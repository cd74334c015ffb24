import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { z } from "zod";
import { AppError, toProblem } from "../errors/index.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";

export interface AppEnv {
  Bindings: HttpBindings;
  Variables: { requestId: string };
}

export interface AppOptions {
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Origins that browsers may call from; "*" for a public API whose access is by bearer token only. Default none. */
  readonly corsOrigin?: string | readonly string[];
  /** Response headers that browsers may read. */
  readonly exposeHeaders?: readonly string[];
}

const ALREADY_SENT = "x-hono-already-sent";
// The server's shortcut for small responses does not know this one; reading the body turns it off.
void RESPONSE_ALREADY_SENT.body;

/** An HTTP application with request ids, one error mapping and one log line per request. Nothing else is shared between programs. */
export function createApp({ logger, metrics, corsOrigin, exposeHeaders = [] }: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const requests = metrics?.histogram("http_seconds", "Duration of HTTP requests until the headers", ["route", "status"]);

  app.use(async (c, next) => {
    const given = c.req.header("x-request-id");
    const requestId = given && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    c.set("requestId", requestId);
    const started = performance.now();
    await next();
    const { status } = c.res;
    if (c.res.headers.has(ALREADY_SENT)) {
      // Its handler wrote the response, with all headers: the server need not look through these.
      c.res = undefined;
      c.res = RESPONSE_ALREADY_SENT;
    } else {
      // A handler may have given the request an id of its own.
      c.res.headers.set("x-request-id", c.get("requestId"));
    }
    const route = c.req.routePath;
    requests?.observe({ route, status: String(status) }, (performance.now() - started) / 1000);
    logger.debug(
      { requestId: c.get("requestId"), method: c.req.method, route, status, ms: Math.round(performance.now() - started) },
      "request",
    );
  });
  if (corsOrigin !== undefined) {
    app.use(
      cors({
        origin: typeof corsOrigin === "string" ? corsOrigin : [...corsOrigin],
        exposeHeaders: ["x-request-id", "retry-after", ...exposeHeaders],
        maxAge: 600,
      }),
    );
  }
  app.notFound((c) => problemResponse(c, new AppError("NOT_FOUND", `There is no ${c.req.method} ${c.req.path.slice(0, 100)} here.`)));
  app.onError((thrown, c) => {
    const error = AppError.from(thrown);
    const record = { requestId: c.get("requestId"), route: c.req.routePath, code: error.code, facts: error.facts };
    if (error.alert) logger.error({ ...record, err: thrown }, "request failed");
    else logger.info(record, "request refused");
    return problemResponse(c, error);
  });
  return app;
}

/** The one mapping from error to HTTP. */
export function problemResponse(c: Context<AppEnv>, error: AppError, headers: Record<string, string> = {}): Response {
  const retryAfter = error.retryAfterSeconds ?? (error.status === 429 || error.status === 503 ? 1 : undefined);
  return c.body(JSON.stringify(toProblem(error)), error.status as 400, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-request-id": c.get("requestId"),
    ...(retryAfter === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) }),
    ...(error.retryable ? {} : { "x-should-retry": "false" }),
    ...headers,
  });
}

/** The body as bytes, at most `maxBytes`, read within `withinMs` (later: BODY_TOO_SLOW). */
export async function readBody(c: Context<AppEnv>, maxBytes: number, withinMs = 15_000): Promise<Buffer> {
  const tooLarge = () => new AppError("BODY_TOO_LARGE", `The body is larger than ${maxBytes} bytes.`, { facts: { maxBytes } });
  if (Number(c.req.header("content-length") ?? 0) > maxBytes) throw tooLarge();
  const late = () => new AppError("BODY_TOO_SLOW", `The body did not arrive within ${withinMs} ms.`, { facts: { withinMs } });
  // From the socket where there is one: a web stream around it takes as long as a small answer.
  const incoming = c.env?.incoming as IncomingMessage | undefined;
  if (incoming && !incoming.readableDidRead && !incoming.destroyed) return await readIncoming(incoming, maxBytes, withinMs, tooLarge, late);
  return await readWeb(c.req.raw.body, maxBytes, withinMs, tooLarge, late);
}

function readIncoming(
  incoming: IncomingMessage,
  maxBytes: number,
  withinMs: number,
  tooLarge: () => AppError,
  late: () => AppError,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const limit = setTimeout(() => end(() => reject(late())), withinMs);
    const end = (then: () => void) => {
      clearTimeout(limit);
      incoming.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
      then();
    };
    const onData = (part: Buffer) => {
      size += part.length;
      if (size > maxBytes) end(() => reject(tooLarge()));
      else parts.push(part);
    };
    const onEnd = () => end(() => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size)));
    const onError = (error: Error) => end(() => reject(error));
    const onClose = () => end(() => reject(new AppError("BAD_REQUEST", "The connection closed before the body was there.")));
    incoming.on("data", onData).once("end", onEnd).once("error", onError).once("close", onClose);
  });
}

async function readWeb(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  withinMs: number,
  tooLarge: () => AppError,
  tooSlow: () => AppError,
): Promise<Buffer> {
  const reader = body?.getReader();
  if (!reader) return Buffer.alloc(0);
  const parts: Uint8Array[] = [];
  let size = 0;
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, withinMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) throw tooLarge();
      parts.push(value);
    }
  } finally {
    clearTimeout(limit);
    reader.cancel().catch(() => {});
  }
  if (late) throw tooSlow();
  return Buffer.concat(parts, size);
}

/** The body as JSON checked by `schema`. Throws BODY_TOO_LARGE, BAD_JSON or BAD_REQUEST naming the field. */
export async function readJson<S extends z.ZodType>(
  c: Context<AppEnv>,
  schema: S,
  maxBytes: number,
  withinMs?: number,
): Promise<z.output<S>> {
  const bytes = await readBody(c, maxBytes, withinMs);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new AppError("BAD_JSON", "The body is not JSON.");
  }
  return checkShape(schema, value);
}

/** Validates untrusted input. Throws BAD_REQUEST naming the first wrong field. */
export function checkShape<S extends z.ZodType>(schema: S, value: unknown, code = "BAD_REQUEST"): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join(".") || "body";
  throw new AppError(code, `${param}: ${issue?.message ?? "is not valid"}.`, { param, hint: `Correct the field ${param}.` });
}

export interface Listening {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  /** Stops accepting, lets running requests finish for `graceMs`, then cuts them. */
  close(graceMs?: number): Promise<void>;
}

export interface ListenOptions {
  readonly port: number;
  readonly host: string;
  /** How long a caller may take to send the head of a request. Default 10 s. */
  readonly headersMs?: number;
  /** Connections at once; more are closed as they come. Default 20,000. */
  readonly maxConnections?: number;
}

const MAX_HEADERS = 100;

/** Serves the app; port 0 takes a free one. Throws CONFIG_INVALID when the port is taken. */
export function listen(app: Hono<AppEnv>, options: ListenOptions): Promise<Listening> {
  const { port, host, headersMs = 10_000, maxConnections = 20_000 } = options;
  // Without the shorter interval, late heads are looked for every 30 s only.
  const serverOptions = { connectionsCheckingInterval: Math.min(1_000, headersMs), maxHeaderSize: 16_384 };
  const server = createAdaptorServer({ fetch: app.fetch, hostname: host, serverOptions }) as Server;
  server.headersTimeout = headersMs;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = maxConnections;
  server.requestTimeout = 0; // bodies are bounded by readBody; answers may stream for minutes
  server.keepAliveTimeout = 65_000;
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? `port ${port} is taken` : `cannot listen on ${host}:${port} (${cause.code})`;
      reject(new AppError("CONFIG_INVALID", reason, { hint: "Choose another port.", cause, facts: { port, host } }));
    });
    server.listen(port, host, () => {
      const bound = (server.address() as AddressInfo).port;
      resolve({
        port: bound,
        url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
        server,
        close: (graceMs = 5_000) => closeServer(server, graceMs),
      });
    });
  });
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
