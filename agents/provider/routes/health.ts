import type { HealthResponse } from "@clawcompute/lib/protocol";
import type { ProviderContext } from "../context.ts";
import type { RouteHandler } from "./handler.ts";

const COUNTED_MS = 250;

export function healthRoutes(context: ProviderContext): Record<"health" | "ready" | "metrics", RouteHandler> {
  const { offers, domain, payee, chainTime, admission, metrics, clock } = context;
  /** Replicas count in the store, at most four times a second however many ask here; one that fails says what this process knows. */
  let counted: { readonly atMs: number; readonly free: Promise<readonly number[]> } | undefined;
  function freePlaces(): Promise<readonly number[]> {
    const shared = offers.some(({ capacity }) => capacity.freeEverywhere);
    if (counted && shared && clock.now() - counted.atMs < COUNTED_MS) return counted.free;
    const free = offers.map(({ capacity }) => capacity.freeEverywhere?.().catch(() => capacity.free()) ?? capacity.free());
    counted = { atMs: clock.now(), free: Promise.all(free) };
    return counted.free;
  }

  return {
    health: async (c) => {
      const lagMs = chainTime.lagMs();
      const free = await freePlaces();
      const body: HealthResponse = {
        status: admission.draining ? "draining" : "ok",
        chainId: domain.chainId,
        chainTimeMs: Number.isFinite(lagMs) ? chainTime.nowMs() : 0,
        lagMs: Number.isFinite(lagMs) ? lagMs : -1,
        models: offers.map(({ terms, providerId, capacity, active }, index) => ({
          id: terms.model,
          providerId: providerId ?? 0,
          address: payee,
          pricePerSecond: String(terms.pricePerSecond),
          serviceType: terms.serviceType,
          free: free[index] ?? 0,
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
