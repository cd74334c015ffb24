import { createHash } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { readJson } from "@clawcompute/lib/node";
import { z } from "zod";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { type ListedModel, listModels } from "../../listModels.ts";
import { ndjson, timeOf } from "./wire.ts";

const named = z.looseObject({ model: z.string().max(256).optional(), name: z.string().max(256).optional(), stream: z.boolean().nullish() });
const MAX_BYTES = 65_536;

/** What these routes answer, for clients that decide by it whether they are talking to an Ollama. */
export const OLLAMA_VERSION = "0.12.0";

const family = "clawcompute";

export function ollamaModels(context: GatewayContext) {
  const { access, clock, policy, chat } = context;

  /** Fields of C-018; what nobody can know of a model elsewhere is left empty. */
  const entry = ({ name, details, ownedBy }: ListedModel) => ({
    name,
    model: name,
    modified_at: timeOf((details.registeredAt ?? Math.floor(clock.now() / 1000)) * 1000),
    size: 0,
    digest: createHash("sha256").update(`${ownedBy} ${name}`).digest("hex"),
    details: {
      parent_model: "",
      format: "remote",
      family,
      families: [family],
      parameter_size: "",
      quantization_level: "",
      provider: details.providerId,
      price_per_second: details.pricePerSecond,
      price_per_second_wei: details.pricePerSecondWei,
      service: details.service,
      local: details.local,
    },
  });

  async function find(c: RouteContext): Promise<ListedModel> {
    const client = access.check(c);
    const { model, name } = await readJson(c, named, MAX_BYTES);
    const asked = (model ?? name ?? "").replace(/:latest$/, "");
    const found = (await listModels(context, client)).find((listed) => listed.name === asked);
    if (!found) throw new AppError("MODEL_NOT_FOUND", `There is no model ${JSON.stringify(asked.slice(0, 80))}.`, { param: "model" });
    return found;
  }

  return {
    tags: async (c: RouteContext) => c.json({ models: (await listModels(context, access.check(c))).map(entry) }),

    show: async (c: RouteContext) => {
      const found = await find(c);
      const { details, modified_at } = entry(found);
      const isText = found.details.service === "text";
      return c.json({
        license: "",
        modelfile: "",
        parameters: "",
        template: "",
        details,
        modified_at,
        model_info: {
          "general.architecture": family,
          "general.basename": found.name,
          [`${family}.context_length`]: found.details.contextTokens ?? policy.contextLength,
        },
        capabilities: isText ? ["completion", "tools"] : found.details.service === "embedding" ? ["embedding"] : [],
        clawcompute: found.details,
      });
    },

    /** Models with an open stream: they answer without waiting for a block. */
    ps: (c: RouteContext) => {
      access.check(c);
      const models = chat.pool.list().map(({ cover, phase }) => ({
        name: cover.offer.model,
        model: cover.offer.model,
        size: 0,
        size_vram: 0,
        digest: createHash("sha256").update(`${cover.offer.owner} ${cover.offer.model}`).digest("hex"),
        details: { format: "remote", family, families: [family], parameter_size: "", quantization_level: "", provider: cover.offer.id },
        expires_at: timeOf(clock.now() + cover.runwayMs()),
        clawcompute: { streamId: cover.id, phase, requests: cover.uses },
      }));
      return c.json({ models });
    },

    version: (c: RouteContext) => c.json({ version: OLLAMA_VERSION }),

    /** Nothing has to be downloaded: the model is there when somebody offers it. */
    pull: async (c: RouteContext) => {
      const body = await readJson(c, named, MAX_BYTES);
      const client = access.check(c);
      const asked = (body.model ?? body.name ?? "").replace(/:latest$/, "");
      const found = (await listModels(context, client)).find(({ name }) => name === asked);
      if (!found)
        throw new AppError("MODEL_NOT_FOUND", `Nobody offers the model ${JSON.stringify(asked.slice(0, 80))} now.`, { param: "model" });
      const where = found.details.local
        ? "on the own server"
        : `offered by ${found.details.providers || 1} provider(s) for ${found.details.pricePerSecond ?? "various prices"} a second`;
      const last = { status: "success", detail: `${found.name} needs no download: it is ${where}.` };
      if (body.stream === false) return c.json(last);
      return c.body(ndjson({ status: "pulling manifest" }) + ndjson(last), 200, { "content-type": "application/x-ndjson" });
    },
  };
}
