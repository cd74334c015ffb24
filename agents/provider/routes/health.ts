import type { HealthResponse } from "@clawcompute/lib/protocol";
import type { ProviderContext } from "../context.ts";
import type { RouteHandler } from "./handler.ts";

export function healthRoutes(context: ProviderContext): Record<"health" | "ready" | "metrics", RouteHandler> {
  const { offers, domain, payee, chainTime, admission, metrics } = context;
  return {
    health: (c) => {
      const lagMs = chainTime.lagMs();
      const body: HealthResponse = {
        status: admission.draining ? "draining" : "ok",
        chainId: domain.chainId,
        chainTimeMs: Number.isFinite(lagMs) ? chainTime.nowMs() : 0,
        lagMs: Number.isFinite(lagMs) ? lagMs : -1,
        models: offers.map(({ terms, providerId, capacity, active }) => ({
          id: terms.model,
          providerId: providerId ?? 0,
          address: payee,
          pricePerSecond: String(terms.pricePerSecond),
          serviceType: terms.serviceType,
          free: capacity.free(),
          capacity: capacity.size,
          active,
        })),
      };
      return c.json(body, 200, { "cache-control": "no-store" });
    },
    ready: (c) => {
      const waitingFor = reasonsNotReady(context);
      return c.json({ ready: waitingFor.length === 0, waitingFor }, waitingFor.length === 0 ? 200 : 503, { "cache-control": "no-store" });
    },
    metrics: async (c) => c.text(await metrics.render(), 200, { "content-type": metrics.registry.contentType }),
  };
}

function reasonsNotReady({ offers, chainTime, admission, following }: ProviderContext): string[] {
  return [
    ...(admission.draining ? ["it is stopping"] : []),
    ...(following() && chainTime.isFresh() ? [] : ["news of the chain"]),
    ...offers.filter((offer) => !offer.checked).map(({ terms }) => `the engine of ${terms.model}`),
    ...offers.filter((offer) => offer.providerId === undefined).map(({ terms }) => `the registration of ${terms.model}`),
  ];
}
