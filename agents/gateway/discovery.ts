import { type Chain, listActiveOffers, type Offer, readMarket, readOffer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { isAddressEqual, zeroAddress } from "viem";

/** The registry's service type of chat models. */
const TEXT = 0;
/** So many offers of a model are looked at, the cheapest; and so many of all to name other models. */
const ENOUGH = 200;

const isText = ({ serviceType }: Offer) => serviceType === TEXT;

export interface Wanted {
  /** Any text model when left out. */
  readonly model?: string | undefined;
  readonly providerId?: number | undefined;
  /** Raw units per second. */
  readonly maxPrice?: bigint | undefined;
}

/** Active text offers in the native coin that fit, cheapest first. Throws NO_PROVIDER, MODEL_NOT_FOUND, PRICE_ABOVE_CAP, ASSET_MISMATCH or UNSUPPORTED. */
export async function findOffers(chain: Chain, wanted: Wanted): Promise<Offer[]> {
  if (wanted.providerId !== undefined) return [await findOffer(chain, wanted.providerId, wanted)];
  const { model } = wanted;
  const read = async (filter: { model?: string; limit?: number }) =>
    (await listActiveOffers(chain, { asset: zeroAddress, ...filter })).filter(isText);
  const served = model === undefined ? (await readMarket(chain, zeroAddress)).offers.filter(isText) : await read({ model, limit: ENOUGH });
  if (served.length === 0) throw nothingServed(model, model === undefined ? [] : await read({ limit: ENOUGH }));
  const affordable = served.filter((offer) => !isAboveCap(offer, wanted.maxPrice));
  if (affordable.length === 0) throw aboveCap(chain, served[0] as Offer, wanted.maxPrice ?? 0n);
  return affordable;
}

async function findOffer(chain: Chain, id: number, { model, maxPrice }: Wanted): Promise<Offer> {
  const param = "provider";
  const offer = await readOffer(chain, id).catch((thrown: unknown) => {
    if (AppError.from(thrown).code !== "COMPUTE_REGISTRY_UNKNOWN_PROVIDER") throw thrown;
    throw new AppError("NO_PROVIDER", `There is no provider ${id}.`, {
      param,
      retryable: false,
      hint: "`claw providers` lists the active ones.",
      cause: thrown,
    });
  });
  const facts = { providerId: id };
  if (!offer.active) {
    throw new AppError("NO_PROVIDER", `Provider ${id} takes no new streams.`, {
      param,
      facts,
      hint: "`claw providers` lists the active ones.",
    });
  }
  if (!isAddressEqual(offer.asset, zeroAddress)) {
    throw new AppError("ASSET_MISMATCH", `Provider ${id} is paid in a token.`, {
      param,
      facts: { ...facts, asset: offer.asset },
      hint: "Choose a provider that is paid in the native coin.",
    });
  }
  if (offer.serviceType !== TEXT) throw new AppError("UNSUPPORTED", `Provider ${id} does not serve text.`, { param, facts });
  if (model !== undefined && model !== offer.model) {
    throw new AppError("MODEL_NOT_FOUND", `Provider ${id} serves another model.`, {
      param: "model",
      facts: { ...facts, serves: offer.model },
      hint: "Leave --model or --provider out.",
    });
  }
  if (isAboveCap(offer, maxPrice)) throw aboveCap(chain, offer, maxPrice ?? 0n);
  return offer;
}

const isAboveCap = (offer: Offer, maxPrice: bigint | undefined) => maxPrice !== undefined && offer.pricePerSecond > maxPrice;

function aboveCap({ network }: Chain, cheapest: Offer, maxPrice: bigint): AppError {
  const { pricePerSecond, id } = cheapest;
  const price = `${formatAmount(pricePerSecond)} ${network.nativeSymbol} a second`;
  return new AppError("PRICE_ABOVE_CAP", `The cheapest offer costs ${price}, above the cap of ${formatAmount(maxPrice)}.`, {
    param: "max-price",
    facts: { providerId: id, pricePerSecond: String(pricePerSecond), maxPrice: String(maxPrice) },
    hint: "Raise --max-price, or choose another model.",
  });
}

function nothingServed(model: string | undefined, offers: readonly Offer[]): AppError {
  const models = [...new Set(offers.map((offer) => offer.model))].slice(0, 20);
  if (model === undefined) {
    return new AppError("NO_PROVIDER", "No active provider offers a text model for the native coin.", {
      hint: "Start one with `npm run provider`, or try again later.",
    });
  }
  return new AppError("NO_PROVIDER", `No active provider offers the model ${JSON.stringify(model.slice(0, 64))}.`, {
    param: "model",
    facts: { models },
    hint: models.length ? `On offer are: ${models.join(", ")}.` : "No model is on offer now; `claw providers` lists them.",
  });
}
