import { readBody } from "@clawcompute/lib/node";
import { z } from "zod";
import { service } from "../../../selection/choose.ts";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { maxCostOf, parseBody } from "../../parseBody.ts";
import { relay } from "../../relay.ts";
import { goneSignal } from "../openai/media.ts";

const embedRequest = z.looseObject({
  model: z.string().min(1).max(256),
  input: z.union([z.string(), z.array(z.string()).max(2048)]),
  dimensions: z.int().positive().nullish(),
  options: z.looseObject({}).nullish(),
});
const oldRequest = z.looseObject({ model: z.string().min(1).max(256), prompt: z.string(), options: z.looseObject({}).nullish() });
const answerShape = z.looseObject({
  data: z.array(z.looseObject({ embedding: z.array(z.number()) })),
  usage: z.looseObject({ prompt_tokens: z.number().optional() }).nullish(),
});

async function embed(context: GatewayContext, c: RouteContext, old: boolean) {
  const client = context.access.check(c);
  context.assertServing();
  const signal = goneSignal(c);
  const startedAtMs = context.clock.now();
  const text = (await readBody(c, context.policy.maxBodyBytes)).toString("utf8");
  const parsed = old ? parseBody(oldRequest, text) : parseBody(embedRequest, text);
  const value = parsed.value as {
    model: string;
    input?: string | string[];
    prompt?: string;
    dimensions?: number | null;
    options?: Record<string, unknown> | null;
  };
  const { model: asked, dimensions, options } = value;
  const input = value.input ?? value.prompt ?? "";
  const answer = await relay(context, {
    client,
    asked,
    service: service.embedding,
    route: old ? "ollama embeddings" : "ollama embed",
    path: "/v1/embeddings",
    contentType: "application/json",
    accept: "application/json",
    bodyFor: (model) => Buffer.from(JSON.stringify({ model, input, encoding_format: "float", ...(dimensions ? { dimensions } : {}) })),
    maxCostWei: parsed.maxCostWei ?? maxCostOf(options?.max_cost),
    signal,
  });
  c.set("requestId", answer.requestId);
  const { data, usage } = answerShape.parse(JSON.parse(answer.body.toString("utf8")));
  const vectors = data.map(({ embedding }) => embedding);
  return { asked, vectors, tokens: usage?.prompt_tokens ?? 0, extra: answer.extra, ns: (context.clock.now() - startedAtMs) * 1_000_000 };
}

export const ollamaEmbed =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const { asked, vectors, tokens, extra, ns } = await embed(context, c, false);
    return c.json({
      model: asked,
      embeddings: vectors,
      total_duration: ns,
      load_duration: 0,
      prompt_eval_count: tokens,
      clawcompute: extra,
    });
  };

/** The older form: one prompt, one vector. */
export const ollamaEmbeddings =
  (context: GatewayContext) =>
  async (c: RouteContext): Promise<Response> => {
    const { vectors, extra } = await embed(context, c, true);
    return c.json({ embedding: vectors[0] ?? [], clawcompute: extra });
  };
