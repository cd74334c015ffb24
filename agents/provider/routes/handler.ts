import type { AppEnv } from "@clawcompute/lib/node";
import type { Context } from "hono";

export type RouteContext = Context<AppEnv>;
export type RouteHandler = (c: RouteContext) => Promise<Response> | Response;
