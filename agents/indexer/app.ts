import { createHash } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { type IndexerAnswer, type IndexerRoute, type IndexerRouteName, indexerOpenApi, indexerRoutes } from "@clawcompute/lib/indexer";
import { type AppEnv, checkShape, createApp, type Logger, type Metrics, problemResponse } from "@clawcompute/lib/node";
import { type Database, storeError } from "@clawcompute/lib/store";
import type { Context, Hono } from "hono";
import { cors } from "hono/cors";
import { streamSSE } from "hono/streaming";
import type { HeadTracker } from "./head.ts";
import { createFeed } from "./live.ts";
import { PageCache } from "./pageCache.ts";
import { analyticsRoutes } from "./routes/analytics.ts";
import type { Handler, Handlers } from "./routes/handler.ts";
import { networkRoutes } from "./routes/network.ts";
import { offerRoutes } from "./routes/offers.ts";
import { paymentRoutes } from "./routes/payments.ts";
import { streamRoutes } from "./routes/streams.ts";

export interface IndexerAppOptions {
  readonly db: Database;
  readonly chainId: number;
  readonly heads: HeadTracker;
  readonly health: () => IndexerAnswer<"health">;
  /** Throws STORE_UNAVAILABLE, CHAIN_STALE or what else is in the way. */
  readonly assertReady: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly corsOrigin: string;
  /** Ends live feeds. */
  readonly signal: AbortSignal;
}

type JsonRouteName = { [N in IndexerRouteName]: (typeof indexerRoutes)[N]["kind"] extends "json" ? N : never }[IndexerRouteName];

const MAX_LISTENERS = 1_000;
const HEARTBEAT_MS = 15_000;
/** Probes and the clock are no part of the head; answers with them may be this old. */
const FRESH_MS = 15_000;

/** The indexer's API: one handler for each row of the table of routes. */
export function createIndexerApp(options: IndexerAppOptions): Hono<AppEnv> {
  const { db, chainId, heads, health, assertReady, logger, metrics, corsOrigin, signal } = options;
  const app = createApp({ logger, metrics });
  // After the answer is made: headers set before it would have it copied once more.
  app.use(async (c, next) => {
    await next();
    c.res.headers.set("access-control-allow-origin", corsOrigin);
    c.res.headers.set("access-control-expose-headers", "x-request-id,retry-after,etag");
    if (corsOrigin !== "*") c.res.headers.append("vary", "origin");
  });
  app.options("*", cors({ origin: corsOrigin, allowMethods: ["GET"], maxAge: 600 }));
  const context = { db, chainId, heads };
  const handlers: Handlers<JsonRouteName> = {
    ...offerRoutes(context),
    ...streamRoutes(context),
    ...paymentRoutes(context),
    ...networkRoutes(context),
    ...analyticsRoutes(context),
  };
  const pages = new PageCache();

  for (const [name, handler] of Object.entries(handlers)) {
    const route: IndexerRoute = indexerRoutes[name as JsonRouteName];
    app.get(route.path, async (c) => {
      const head = heads.current();
      const tag = `${head.version}.${Math.floor(Date.now() / FRESH_MS)}`;
      const address = addressOf(c.req.url, c.req.path);
      const etag = `W/"${createHash("sha1").update(`${chainId} ${tag} ${address}`).digest("base64url")}"`;
      const headers = { etag, "cache-control": "no-cache", vary: "accept-encoding" };
      if (
        c.req
          .header("if-none-match")
          ?.split(/\s*,\s*/)
          .includes(etag)
      )
        return c.body(null, 304, headers);
      const body = await pages
        .get(tag, address, async () => {
          const query = c.req.query();
          const unknown = Object.keys(query).find((key) => !(key in route.query.shape));
          if (unknown !== undefined) {
            throw new AppError("BAD_REQUEST", `${unknown.slice(0, 50)}: is not a filter of ${route.path}.`, {
              param: unknown.slice(0, 50),
              hint: "See /openapi.json.",
            });
          }
          const input = { ...checkShape(route.params, c.req.param()), ...checkShape(route.query, query) };
          return Buffer.from(await (handler as Handler<JsonRouteName>)(input as never, head));
        })
        .catch((thrown) => {
          const error = storeError(thrown);
          // Data exceptions of PostgreSQL: a number or a text that no row could hold.
          if (!String(error.facts.sqlState ?? "").startsWith("22")) throw error;
          throw new AppError("BAD_REQUEST", "A filter or the cursor names what cannot be.", { cause: error });
        });
      return c.body(body, 200, { ...headers, "content-type": "application/json" });
    });
  }

  app.get(indexerRoutes.live.path, (c) => serveLive(c));
  app.get(indexerRoutes.health.path, (c) => c.json(health(), 200, { "cache-control": "no-store" }));
  app.get(indexerRoutes.ready.path, async (c) => {
    await assertReady();
    return c.json({ ready: true }, 200, { "cache-control": "no-store" });
  });
  app.get("/openapi.json", (c) => c.json(indexerOpenApi(), 200, { "cache-control": "public, max-age=300" }));
  app.get("/metrics", async (c) => c.text(await metrics.render(), 200, { "content-type": metrics.registry.contentType }));
  for (const path of [...Object.values(indexerRoutes).map((route) => route.path), "/openapi.json", "/metrics"]) {
    app.all(path, (c) =>
      problemResponse(c, new AppError("METHOD_NOT_ALLOWED", `${path} takes GET only.`, { facts: { allow: "GET" } }), { allow: "GET" }),
    );
  }

  const listen = createFeed(db, chainId, heads);
  const listeners = metrics.gauge("live_listeners", "Open live feeds");
  let open = 0;

  function serveLive(c: Context<AppEnv>): Response {
    if (open >= MAX_LISTENERS) throw new AppError("BUSY", "Too many live feeds are open.", { retryAfterSeconds: 5 });
    open += 1;
    listeners.set(open);
    c.header("cache-control", "no-store");
    c.header("x-accel-buffering", "no");
    return streamSSE(c, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const ends = AbortSignal.any([gone.signal, signal]);
      const heartbeat = setInterval(() => void stream.write(": still here\n\n").catch(() => {}), HEARTBEAT_MS);
      try {
        for await (const { id, message } of listen(c.req.header("last-event-id"), ends)) {
          await stream.writeSSE({ id, event: message.type, data: JSON.stringify(message) });
        }
      } catch (thrown) {
        if (!ends.aborted) logger.warn({ err: storeError(thrown) }, "a live feed broke off");
      } finally {
        clearInterval(heartbeat);
        open -= 1;
        listeners.set(open);
      }
    });
  }

  return app;
}

/** The same for the same filters in another order. */
function addressOf(url: string, path: string): string {
  const at = url.indexOf("?");
  return at < 0
    ? path
    : `${path}?${url
        .slice(at + 1)
        .split("&")
        .sort()
        .join("&")}`;
}
