import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { ProviderClient } from "./providerClient.ts";

/** Asks a provider, before any money moves, whether it is there and serves this offer on this chain. Throws what is wrong. */
export async function preflight(client: ProviderClient, offer: Offer, chainId: number, signal: AbortSignal): Promise<{ busy: boolean }> {
  const health = await client.health(signal);
  const facts = { providerId: offer.id };
  if (health.chainId !== chainId) {
    throw new AppError("WRONG_CHAIN", `Provider ${offer.id} works on chain ${health.chainId}, not ${chainId}.`, {
      facts: { ...facts, chainId: health.chainId },
      hint: "Choose another provider.",
    });
  }
  if (health.status === "draining") throw new AppError("DRAINING", `Provider ${offer.id} is stopping.`, { facts });
  const model = health.models.find(({ providerId }) => providerId === offer.id);
  if (!model) throw new AppError("PROVIDER_FAILED", `The endpoint of provider ${offer.id} does not serve this offer.`, { facts });
  if (BigInt(model.pricePerSecond) > offer.pricePerSecond) {
    throw new AppError("RATE_TOO_LOW", `Provider ${offer.id} asks for more than its offer says.`, {
      facts,
      hint: "Choose another provider.",
    });
  }
  return { busy: model.free <= 0 };
}
