import type { indexerProviders } from "@clawcompute/lib/store";
import { zeroAddress } from "viem";
import { addressIn, amountIn, beginningMissing, type Entry, numberIn, textIn } from "../entry.ts";
import type { Book } from "./book.ts";

export type ProviderRow = typeof indexerProviders.$inferSelect;

/** Columns that are sums and not told by the provider's own events. */
export const providerSums = ["completions", "earned"] as const satisfies (keyof ProviderRow)[];

/** The offer after one more of its events; each price that it names goes to `book`. */
export function foldProvider(row: ProviderRow | undefined, entry: Entry, book: Book): ProviderRow {
  const next = after(row, entry);
  if (entry.name !== "ProviderSignerSet") {
    const { id: providerId, model, asset, pricePerSecond, active } = next;
    book.offer(next, row ? 0 : 1, Number(active) - Number(row?.active ?? false));
    book.price(entry, { providerId, model, asset, pricePerSecond, active });
  }
  return next;
}

function after(row: ProviderRow | undefined, entry: Entry): ProviderRow {
  const { chainId, args, at } = entry;
  if (entry.name === "ProviderRegistered") {
    return {
      chainId,
      id: numberIn(args, "id"),
      owner: addressIn(args, "owner"),
      signer: null,
      model: textIn(args, "model"),
      asset: addressIn(args, "asset"),
      pricePerSecond: amountIn(args, "pricePerSecond"),
      serviceType: numberIn(args, "serviceType"),
      endpoint: textIn(args, "endpoint"),
      active: true,
      registeredAt: at,
      updatedAt: at,
      completions: 0,
      earned: 0n,
    };
  }
  if (!row) beginningMissing(entry);
  if (entry.name === "ProviderSignerSet") {
    const signer = addressIn(args, "signer");
    return { ...row, signer: signer === zeroAddress ? null : signer, updatedAt: at };
  }
  return {
    ...row,
    pricePerSecond: amountIn(args, "pricePerSecond"),
    endpoint: textIn(args, "endpoint"),
    active: args.active === true,
    updatedAt: at,
  };
}
