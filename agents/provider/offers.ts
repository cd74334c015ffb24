import type { Address } from "viem";
import type { Backend } from "./backends/backend.ts";
import type { Capacity } from "./capacity.ts";
import type { OfferCaps } from "./caps.ts";

/** What the operator wants to sell. */
export interface OfferTerms {
  readonly model: string;
  /** Raw units of `asset` per second. */
  readonly pricePerSecond: bigint;
  /** 0 text, 1 image, 2 audio, 3 embedding. */
  readonly serviceType: number;
  /** Zero address: the native coin. */
  readonly asset: Address;
}

/** The same as the registry lists it. */
export interface ListedTerms extends OfferTerms {
  /** The base URL, or that plus /inference. */
  readonly endpoint: string;
}

/** An offer with the engine behind it. */
export interface ServedOffer {
  /** The price may change; open streams keep theirs (P11). */
  terms: OfferTerms;
  readonly caps: OfferCaps;
  readonly backend: Backend;
  readonly capacity: Capacity;
  /** The registry's id; undefined until it is registered. Nobody can pay for an offer without one. */
  providerId: number | undefined;
  /** The engine proved that it can be used. */
  checked: boolean;
  /** As the registry has it: its owner may take the offer off the market, and what has it then refuses new work. */
  active: boolean;
}

export const offerOf = (offers: readonly ServedOffer[], providerId: number): ServedOffer | undefined =>
  offers.find((offer) => offer.providerId === providerId);
