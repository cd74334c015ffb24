import { type ChainEvent, type Offer, registryWrites, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Logger } from "@clawcompute/lib/node";
import { isAddressEqual } from "viem";
import { type OfferTerms, offerOf, type ServedOffer } from "./offers.ts";

/**
 * What the registry says while we serve is right, whoever wrote it: a price is that of new streams (open ones keep theirs, P11),
 * and an offer that was taken off the market takes no new work, on every replica.
 */
export function applyListing(offers: readonly ServedOffer[], events: readonly ChainEvent[], logger: Logger): void {
  for (const { contract, name, args } of events) {
    if (contract !== "registry" || name !== "ProviderUpdated") continue;
    const offer = offerOf(offers, Number(args.id));
    const { active, pricePerSecond } = args;
    if (!offer || typeof active !== "boolean" || typeof pricePerSecond !== "bigint") continue;
    if (active === offer.active && pricePerSecond === offer.terms.pricePerSecond) continue;
    offer.active = active;
    offer.terms = { ...offer.terms, pricePerSecond };
    logger.info(
      { providerId: offer.providerId, model: offer.terms.model, active, pricePerSecond: String(pricePerSecond) },
      "offer changed",
    );
  }
}

export interface ListingDeps {
  readonly readOffer: (id: number) => Promise<Offer>;
  /** Undefined where the owner's key is kept elsewhere. */
  readonly sender: Sender | undefined;
  readonly logger: Logger;
}

/** Puts a new price into the registry. An offer that is not registered yet will be registered with it. Throws WALLET_MISSING. */
export async function changePrice({ readOffer, sender, logger }: ListingDeps, offer: ServedOffer, pricePerSecond: bigint): Promise<void> {
  const { providerId: id, terms } = offer;
  if (id !== undefined) {
    const { endpoint, active, pricePerSecond: listed } = await readOffer(id);
    if (listed !== pricePerSecond) {
      if (!sender) throw ownerNeeded(`change the price of offer ${id}`);
      await sender.send(registryWrites.updateProvider({ id, pricePerSecond, endpoint, active }));
    }
  }
  offer.terms = { ...terms, pricePerSecond };
  logger.info({ providerId: id ?? null, model: terms.model, pricePerSecond: String(pricePerSecond) }, "price changed for new streams");
}

/** Takes an offer off the market, or puts it back. True when something had to be written. Throws WALLET_MISSING. */
export async function setActive({ readOffer, sender }: ListingDeps, id: number, active: boolean): Promise<boolean> {
  const { pricePerSecond, endpoint, active: now } = await readOffer(id);
  if (now === active) return false;
  if (!sender) throw ownerNeeded(`${active ? "list" : "unlist"} offer ${id}`);
  await sender.send(registryWrites.updateProvider({ id, pricePerSecond, endpoint, active }));
  return true;
}

/** Offers whose price is another one than before. What else differs needs a restart. */
export function planPrices<T extends { readonly terms: OfferTerms }>(
  offers: readonly T[],
  wanted: readonly OfferTerms[],
): readonly { readonly offer: T; readonly pricePerSecond: bigint }[] {
  return offers.flatMap((offer) => {
    const { terms } = offer;
    const next = wanted.find(
      ({ model, asset, serviceType }) => model === terms.model && serviceType === terms.serviceType && isAddressEqual(asset, terms.asset),
    );
    return next && next.pricePerSecond !== terms.pricePerSecond ? [{ offer, pricePerSecond: next.pricePerSecond }] : [];
  });
}

function ownerNeeded(what: string): AppError {
  return new AppError("WALLET_MISSING", `Only the owner's wallet can ${what}.`, {
    hint: "Do it where the owner's key is, or in the dashboard's provider console; this provider follows the registry.",
  });
}
