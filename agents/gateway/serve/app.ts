import { AppError } from "@clawcompute/lib/errors";
import { type AppEnv, createApp, problemResponse } from "@clawcompute/lib/node";
import type { Hono } from "hono";
import type { RouteContext } from "./broadcast.ts";
import type { GatewayContext } from "./context.ts";
import { ollamaChatRoute, ollamaGenerateRoute } from "./routes/ollama/chat.ts";
import { ollamaEmbed, ollamaEmbeddings } from "./routes/ollama/embed.ts";
import { ollamaModels } from "./routes/ollama/models.ts";
import { ollamaErrors } from "./routes/ollama/wire.ts";
import { chatCompletions } from "./routes/openai/chat.ts";
import { completions } from "./routes/openai/completions.ts";
import { mediaRoutes } from "./routes/openai/media.ts";
import { openaiModels } from "./routes/openai/models.ts";
import { responses } from "./routes/openai/responses.ts";
import { ownRoutes } from "./routes/own.ts";

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
  const media = mediaRoutes(context);
  const ollama = ollamaModels(context);
  const own = ownRoutes(context);
  const routes: readonly (readonly [method: "GET" | "POST" | "DELETE", path: string, handler: Handler])[] = [
    ["POST", "/v1/chat/completions", chatCompletions(context)],
    ["GET", "/v1/models", models.list],
    ["GET", "/v1/models/:id{.+}", models.get],
    ["POST", "/v1/completions", completions(context)],
    ["POST", "/v1/responses", responses(context)],
    ["POST", "/v1/embeddings", media.embeddings],
    ["POST", "/v1/images/generations", media.images],
    ["POST", "/v1/audio/speech", media.speech],
    ["POST", "/v1/audio/transcriptions", media.transcriptions],
    ["POST", "/v1/audio/translations", media.translations],
    ["POST", "/api/chat", ollamaErrors(ollamaChatRoute(context))],
    ["POST", "/api/generate", ollamaErrors(ollamaGenerateRoute(context))],
    ["GET", "/api/tags", ollamaErrors(ollama.tags)],
    ["POST", "/api/show", ollamaErrors(ollama.show)],
    ["GET", "/api/ps", ollamaErrors(ollama.ps)],
    ["GET", "/api/version", ollama.version],
    ["POST", "/api/pull", ollamaErrors(ollama.pull)],
    ["POST", "/api/embed", ollamaErrors(ollamaEmbed(context))],
    ["POST", "/api/embeddings", ollamaErrors(ollamaEmbeddings(context))],
    ["GET", "/health", own.health],
    ["GET", "/metrics", own.metrics],
    ["GET", "/gateway/status", own.status],
    ["GET", "/gateway/why", own.why],
    ["GET", "/gateway/spend", own.spend],
    ["GET", "/gateway/reconcile", own.reconcile],
    ["POST", "/gateway/stop", own.stop],
  ];
  // What clients ask to see whether an Ollama is there.
  app.get("/", (c) => c.text("Ollama is running"));
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
