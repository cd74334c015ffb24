import { z } from "zod";
import { type IndexerRoute, indexerRoutes } from "./routes.ts";

/** The OpenAPI 3.1 document of the indexer, made from the table of routes. */
export function indexerOpenApi(serverUrl?: string): Record<string, unknown> {
  return {
    openapi: "3.1.0",
    info: {
      title: "ClawCompute indexer",
      version: "1",
      description: "Offers, streams, channels, credits, keepers and prices as the contracts' events tell them. Everything is read only.",
      license: { name: "MIT", identifier: "MIT" },
    },
    ...(serverUrl ? { servers: [{ url: serverUrl }] } : {}),
    paths: Object.fromEntries(
      Object.entries<IndexerRoute>(indexerRoutes).map(([name, route]) => [
        route.path.replaceAll(/:(\w+)/g, "{$1}"),
        { get: operation(name, route) },
      ]),
    ),
    components: { schemas: { Problem: problem } },
  };
}

function operation(operationId: string, { summary, params, query, response, kind }: IndexerRoute): Record<string, unknown> {
  const type = kind === "events" ? "text/event-stream" : "application/json";
  return {
    operationId,
    summary,
    parameters: [...parametersOf(params, "path"), ...parametersOf(query, "query")],
    responses: {
      200: { description: summary, content: { [type]: { schema: schemaOf(response, "output") } } },
      ...(kind === "json" ? { 304: { description: "Nothing changed since the ETag in If-None-Match" } } : {}),
      default: { description: "A problem", content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
    },
  };
}

function parametersOf(schema: z.ZodObject, place: "path" | "query"): object[] {
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(description ? { description } : {}),
    // A coerced number is written as text in an address, but it is a number.
    schema: "type" in property || "enum" in property || "anyOf" in property ? property : { type: "integer" },
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any", target: "draft-2020-12" });
  return json;
}

const problem = {
  type: "object",
  required: ["type", "title", "status", "error"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    error: {
      type: "object",
      required: ["message", "type", "code"],
      properties: {
        message: { type: "string" },
        type: { type: "string" },
        code: { type: "string" },
        param: { type: ["string", "null"] },
        hint: { type: "string" },
      },
    },
  },
};
