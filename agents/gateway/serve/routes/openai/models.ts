import { AppError } from "@clawcompute/lib/errors";
import type { RouteContext } from "../../broadcast.ts";
import type { GatewayContext } from "../../context.ts";
import { type ListedModel, listModels } from "../../listModels.ts";

const wire = ({ name, ownedBy, details }: ListedModel) => ({
  id: name,
  object: "model",
  created: details.registeredAt ?? 0,
  owned_by: ownedBy,
  clawcompute: details,
});

/** `GET /v1/models` and `GET /v1/models/{id}`. */
export const openaiModels = (context: GatewayContext) => ({
  list: async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    return c.json({ object: "list", data: (await listModels(context, client)).map(wire) });
  },
  get: async (c: RouteContext): Promise<Response> => {
    const client = context.access.check(c);
    const id = decodeURIComponent(c.req.path.slice("/v1/models/".length)).replace(/:latest$/, "");
    const found = (await listModels(context, client)).find(({ name }) => name === id);
    if (!found) throw new AppError("MODEL_NOT_FOUND", `There is no model ${JSON.stringify(id.slice(0, 80))}.`, { param: "model" });
    return c.json(wire(found));
  },
});
