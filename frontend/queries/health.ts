import type { Offer } from "@clawcompute/lib/chain";
import type { HealthResponse } from "@clawcompute/lib/protocol";
import { queryOptions, skipToken } from "@tanstack/react-query";
import { endpointOf } from "@/components/chain/untrusted.ts";

const WITHIN_MS = 5000;

export type Health =
  | { readonly state: "ok" | "busy" | "draining"; readonly latencyMs: number; readonly free: number; readonly capacity: number }
  /** It answers, but not for this offer. */
  | { readonly state: "mismatch"; readonly latencyMs: number }
  | { readonly state: "unreachable" | "refused" };

export interface HealthOptions {
  readonly chainId: number;
  readonly isLocal: boolean;
}

/** What this page itself sees of the provider: never throws, so that one dead endpoint is a state and no error. */
export const healthQuery = (offer: Offer | undefined, options: HealthOptions) =>
  queryOptions({
    queryKey: ["health", options.chainId, offer?.id, offer?.endpoint],
    queryFn: offer ? ({ signal }) => probe(offer, options, signal) : skipToken,
    refetchInterval: 10_000,
    staleTime: 5000,
  });

async function probe(offer: Offer, { chainId, isLocal }: HealthOptions, signal: AbortSignal): Promise<Health> {
  const base = endpointOf(offer.endpoint, isLocal);
  if (!base) return { state: "refused" };
  // Its checks are a tenth of a page's script, and nothing is shown before the first answer anyway.
  const { healthResponse, routes } = await import("@clawcompute/lib/protocol");
  const url = new URL(base.pathname.replace(/\/$/, "") + routes.health.path, base);
  const started = performance.now();
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
      credentials: "omit",
      referrerPolicy: "no-referrer",
      redirect: "error",
      cache: "no-store",
    });
    const answer = await response.json();
    const latencyMs = performance.now() - started;
    const health = healthResponse.safeParse(answer);
    return health.success ? judge(health.data, offer, chainId, latencyMs) : { state: "mismatch", latencyMs };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { state: "unreachable" };
  }
}

/** The answer must be about this offer at its price on this chain. */
export function judge(health: HealthResponse, offer: Offer, chainId: number, latencyMs: number): Health {
  const own = health.models.find(({ providerId }) => providerId === offer.id);
  if (health.chainId !== chainId || own?.id !== offer.model) return { state: "mismatch", latencyMs };
  const { free, capacity } = own;
  return { state: health.status === "draining" ? "draining" : free > 0 ? "ok" : "busy", latencyMs, free, capacity };
}
