import { AppError } from "@clawcompute/lib/errors";
import { type AppEnv, createApp, problemResponse } from "@clawcompute/lib/node";
import { headers, type RouteName, routes } from "@clawcompute/lib/protocol";
import { paymentHeaders } from "@clawcompute/lib/protocol/payments";
import type { Hono } from "hono";
import type { ProviderContext } from "./context.ts";
import { audioRoutes } from "./routes/audio.ts";
import { balanceRoutes } from "./routes/balances.ts";
import { chatRoutes } from "./routes/chat.ts";
import { embeddingRoutes } from "./routes/embeddings.ts";
import type { RouteHandler } from "./routes/handler.ts";
import { healthRoutes } from "./routes/health.ts";
import { imageRoutes } from "./routes/images.ts";
import { inferenceRoutes } from "./routes/inference.ts";
import { modelRoutes } from "./routes/models.ts";
import { paymentGate, paymentOffers } from "./routes/payments.ts";
import { receiptRoutes } from "./routes/receipts.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { services } from "./services.ts";

/** The provider's HTTP side: one handler for each row of the protocol's route table. */
export function createProviderApp(context: ProviderContext): Hono<AppEnv> {
  const { logger, metrics } = context;
  // Access is by bearer token only, never by cookie, so any page may call.
  const app = createApp({ logger, metrics, corsOrigin: "*", exposeHeaders: [headers.receipt, ...Object.values(paymentHeaders)] });
  const handlers: Record<RouteName, RouteHandler> = {
    ...sessionRoutes(context),
    ...chatRoutes(context),
    ...embeddingRoutes(context),
    ...imageRoutes(context),
    ...audioRoutes(context),
    ...inferenceRoutes(context),
    ...balanceRoutes(context),
    ...modelRoutes(context),
    ...receiptRoutes(context),
    ...healthRoutes(context),
  };
  for (const name of Object.keys(services)) {
    const { path } = routes[name as RouteName];
    app.use(path, paymentOffers(context));
    app.use(path, paymentGate(context));
  }
  for (const [name, { method, path }] of Object.entries(routes)) app.on(method, path, handlers[name as RouteName]);
  for (const { method, path } of Object.values(routes)) {
    app.all(path, (c) =>
      problemResponse(c, new AppError("METHOD_NOT_ALLOWED", `${path} takes ${method} only.`, { facts: { allow: method } }), {
        allow: method,
      }),
    );
  }
  return app;
}
