import type { ServerResponse } from "node:http";
import { AppError } from "@clawcompute/lib/errors";
import { readBody } from "@clawcompute/lib/node";
import { z } from "zod";
import { type ServiceType, service } from "../../../selection/choose.ts";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { parseBody } from "../../parseBody.ts";
import { relay } from "../../relay.ts";

const withModel = z.looseObject({ model: z.string().min(1).max(256).default("auto") });

/** Aborts when the client leaves before its answer. */
export function goneSignal(c: RouteContext): AbortSignal {
  const gone = new AbortController();
  const response = (c.env as { outgoing: ServerResponse }).outgoing;
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** A JSON request that goes to a provider as it is; its JSON answer gets the bill as an extra key. */
const jsonRoute =
  (context: GatewayContext, path: string, type: ServiceType, accept: string) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const signal = goneSignal(c);
    const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
    const { value, maxCostWei } = parseBody(withModel, text);
    const answer = await relay(context, {
      client,
      asked: value.model,
      service: type,
      route: path.slice("/v1/".length),
      path,
      contentType: "application/json",
      accept,
      bodyFor: (model) => Buffer.from(JSON.stringify({ ...value, model })),
      maxCostWei,
      signal,
    });
    c.set("requestId", answer.requestId);
    const body = withBill(answer.body, answer.contentType, answer.extra);
    return c.body(new Uint8Array(body), 200, { ...answer.headers, "content-type": answer.contentType, "cache-control": "no-store" });
  };

function withBill(body: Buffer, contentType: string, extra: object): Buffer {
  if (!contentType.startsWith("application/json")) return body;
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return body;
    return Buffer.from(JSON.stringify({ ...value, clawcompute: extra }));
  } catch {
    throw new AppError("PROVIDER_FAILED", "The provider's answer is not JSON.");
  }
}

/** A form with a file: the bytes go through, only the model's name is exchanged. */
const formRoute =
  (context: GatewayContext, path: string) =>
  async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    context.assertServing();
    const signal = goneSignal(c);
    const contentType = c.req.header("content-type") ?? "";
    if (!/^multipart\/form-data\b/i.test(contentType)) {
      throw new AppError("BAD_REQUEST", "The body must be multipart/form-data.", { param: "content-type" });
    }
    const bytes = await readBody(c, context.policy.maxBodyBytes);
    const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } })
      .formData()
      .catch((cause: unknown) => {
        throw new AppError("BAD_REQUEST", "The form cannot be read.", { param: "body", cause });
      });
    const asked = form.get("model");
    const name = typeof asked === "string" && asked !== "" ? asked : "auto";
    form.set("model", name);
    const encoded = new Response(form);
    const whole = new Uint8Array(await encoded.arrayBuffer());
    const answer = await relay(context, {
      client,
      asked: name,
      service: service.audio,
      route: path.slice("/v1/".length),
      path,
      contentType: encoded.headers.get("content-type") ?? contentType,
      accept: c.req.header("accept") ?? "*/*",
      bodyFor: (model) => renamed(whole, name, model),
      maxCostWei: undefined,
      signal,
    });
    c.set("requestId", answer.requestId);
    const body = withBill(answer.body, answer.contentType, answer.extra);
    return c.body(new Uint8Array(body), 200, { ...answer.headers, "content-type": answer.contentType, "cache-control": "no-store" });
  };

/** The part `name="model"` with another value. */
function renamed(body: Uint8Array, from: string, to: string): Uint8Array {
  const bytes = Buffer.from(body);
  const head = Buffer.from(`name="model"\r\n\r\n${from}`);
  const at = bytes.indexOf(head);
  if (at < 0 || from === to) return body;
  const value = at + head.length - Buffer.byteLength(from);
  return Buffer.concat([bytes.subarray(0, value), Buffer.from(to), bytes.subarray(value + Buffer.byteLength(from))]);
}

export const mediaRoutes = (context: GatewayContext) => ({
  embeddings: jsonRoute(context, "/v1/embeddings", service.embedding, "application/json"),
  images: jsonRoute(context, "/v1/images/generations", service.image, "application/json"),
  speech: jsonRoute(context, "/v1/audio/speech", service.audio, "*/*"),
  transcriptions: formRoute(context, "/v1/audio/transcriptions"),
  translations: formRoute(context, "/v1/audio/translations"),
});
