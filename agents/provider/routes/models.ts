import { AppError } from "@clawcompute/lib/errors";
import type { ProviderContext } from "../context.ts";
import type { ServedOffer } from "../offers.ts";
import { pathsOf } from "../services.ts";
import type { RouteHandler } from "./handler.ts";

/** What is served, as every OpenAI client reads it, and what it costs. */
export function modelRoutes({ offers, domain, payee, signer }: ProviderContext): Record<"models" | "model", RouteHandler> {
  const describe = ({ terms, caps, backend, providerId, capacity, active }: ServedOffer) => ({
    id: terms.model,
    object: "model",
    created: 0,
    owned_by: payee,
    clawcompute: {
      providerId: providerId ?? null,
      pricePerSecond: String(terms.pricePerSecond),
      asset: terms.asset,
      serviceType: terms.serviceType,
      chainId: domain.chainId,
      contract: domain.verifyingContract,
      payee,
      signer,
      capacity: capacity.size,
      active,
      paths: pathsOf(terms.serviceType, backend),
      contextTokens: caps.contextTokens ?? null,
      outputTokens: caps.outputTokens ?? null,
    },
  });
  return {
    models: (c) => c.json({ object: "list", data: offers.map(describe) }),
    model: (c) => {
      const id = c.req.param("id");
      const offer = offers.find(({ terms }) => terms.model === id);
      if (!offer) throw new AppError("MODEL_NOT_FOUND", "This model is not served here.", { param: "model" });
      return c.json(describe(offer));
    },
  };
}
