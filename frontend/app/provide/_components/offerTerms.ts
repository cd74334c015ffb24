import { parseAmount } from "@clawcompute/lib/money";
import { endpointOf } from "@/components/chain/untrusted.ts";

const MOST_PRICE = 2n ** 64n - 1n;
const bytes = (text: string) => new TextEncoder().encode(text).length;

/** Why a model's name cannot be registered. */
export function faultOfModel(model: string): string | undefined {
  if (bytes(model) === 0) return "Give the model a name.";
  return bytes(model) > 64 ? "At most 64 bytes." : undefined;
}

/** Why no buyer could use this endpoint. */
export function faultOfEndpoint(endpoint: string, isLocal: boolean): string | undefined {
  if (bytes(endpoint) > 256) return "At most 256 bytes.";
  if (endpointOf(endpoint, isLocal)) return undefined;
  return isLocal ? "An http or https URL, without a password in it." : "An https URL that everybody can reach, without a password in it.";
}

/** Raw units a second, or why not. */
export function priceFrom(text: string, decimals: number): { readonly raw: bigint } | { readonly fault: string } {
  try {
    const raw = parseAmount(text.replace(",", "."), decimals);
    if (raw === 0n) return { fault: "More than nothing." };
    return raw > MOST_PRICE ? { fault: "Less: the contract holds prices below 2^64 raw units." } : { raw };
  } catch {
    return { fault: `A decimal number with at most ${decimals} decimals.` };
  }
}
