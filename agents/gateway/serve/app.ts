import { AppError } from "@clawcompute/lib/errors";
import { type AppEnv, createApp, problemResponse } from "@clawcompute/lib/node";
import type { Hono } from "hono";
import type { RouteContext } from "./broadcast.ts";
import type { GatewayContext } from "./context.ts";
import { chatCompletions } from "./routes/openai/chat.ts";
import { openaiModels } from "./routes/openai/models.ts";

type Handler = (c: RouteContext) => Promise<Response> | Response;

/** The gateway's HTTP side: the OpenAI API, the Ollama API, and what it says about itself. */
export function createGatewayApp(context: GatewayContext, origins: readonly string[] | undefined): Hono<AppEnv> {
  const { logger, metrics } = context;
  const app = createApp({
    logger,
    metrics,
    ...(origins ? { corsOrigin: origins.includes("*") ? "*" : origins, exposeHeaders: exposed } : {}),
  });
  const models = openaiModels(context);
  const routes: readonly (readonly [method: "GET" | "POST" | "DELETE", path: string, handler: Handler])[] = [
    ["POST", "/v1/chat/completions", chatCompletions(context)],
    ["GET", "/v1/models", models.list],
    ["GET", "/v1/models/:id{.+}", models.get],
  ];
  for (const [method, path, handler] of routes) app.on(method, path, handler);
  for (const path of new Set(routes.map(([, path]) => path))) {
    const allow = routes.filter((route) => route[1] === path).map(([method]) => method);
    app.all(path, (c) =>
      problemResponse(c, new AppError("METHOD_NOT_ALLOWED", `${c.req.path} takes ${allow.join(", ")} only.`, { facts: { allow } }), {
        allow: allow.join(", "),
      }),
    );
  }
  return app;
}

const exposed = ["clawcompute-provider", "clawcompute-model", "clawcompute-stream", "clawcompute-cost"];
