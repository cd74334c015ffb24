import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type Asset, inWords } from "../asset.ts";
import type { Client } from "../budget/budget.ts";
import type { Catalog, Wanted } from "./catalog.ts";
import type { Seen } from "./experience.ts";
import type { ModelChoice } from "./modelName.ts";
import { type Ranked, rankOffers } from "./rank.ts";

/** The registry's service types. */
export const service = { text: 0, image: 1, audio: 2, embedding: 3 } as const;
export type ServiceType = (typeof service)[keyof typeof service];

export interface ChoicePolicy {
  readonly maxPrice: bigint | undefined;
  readonly models: readonly string[] | undefined;
  readonly providers: readonly number[] | undefined;
}

export interface ChooseDeps {
  readonly catalog: Catalog;
  readonly policy: ChoicePolicy;
  readonly seenOf: (providerId: number) => Seen;
  readonly isWarm: (providerId: number) => boolean;
  readonly now: () => number;
  readonly asset: Asset;
}

/** A market seen a moment ago is looked at again before a model is said not to be there. */
const LOOK_AGAIN_MS = 1_000;

/** Offers that a client's request may go to, best first, from a picture of the market not older than `withinMs`. Throws MODEL_NOT_FOUND, NO_PROVIDER or PRICE_ABOVE_CAP. */
export async function chooseOffers(
  deps: ChooseDeps,
  choice: ModelChoice,
  client: Client,
  type: ServiceType,
  withinMs?: number,
): Promise<Ranked[]> {
  const wanted = wantedOf(choice, deps.policy, client);
  const first = fitting(deps, await deps.catalog.offers(withinMs, wanted), choice, client, type);
  const fit = first.length > 0 ? first : fitting(deps, await deps.catalog.offers(LOOK_AGAIN_MS, wanted), choice, client, type);
  if (fit.length === 0) throw await whyNone(deps, choice, client, type);
  const affordable = fit.filter(({ pricePerSecond }) => deps.policy.maxPrice === undefined || pricePerSecond <= deps.policy.maxPrice);
  if (affordable.length === 0) throw tooDear(fit, deps);
  return rankOffers(affordable, { mode: choice.mode, nowMs: deps.now(), seenOf: deps.seenOf, isWarm: deps.isWarm });
}

/** What must not be missed in a large market: what the request names, else what it is limited to. */
function wantedOf({ model, asked, providerId }: ModelChoice, policy: ChoicePolicy, client: Client): Wanted {
  if (providerId !== undefined) return { models: [], providers: [providerId] };
  const providers = client.providers ?? policy.providers ?? [];
  return { models: model === undefined ? (client.models ?? policy.models ?? []) : [...new Set([model, asked])], providers };
}

/** What a client may use at all, whatever it asks for. */
export function allowed({ models, providers }: ChoicePolicy, client: Client): (offer: Offer) => boolean {
  return ({ id, model }) =>
    (models === undefined || models.includes(model)) &&
    (providers === undefined || providers.includes(id)) &&
    (client.models === undefined || client.models.includes(model)) &&
    (client.providers === undefined || client.providers.includes(id));
}

function fitting({ policy }: ChooseDeps, offers: readonly Offer[], choice: ModelChoice, client: Client, type: ServiceType): Offer[] {
  const named = offers.filter(
    ({ id, model, serviceType }) =>
      serviceType === type &&
      (choice.model === undefined || model === choice.model || model === choice.asked) &&
      (choice.providerId === undefined || id === choice.providerId),
  );
  return named.filter(allowed(policy, client));
}

async function whyNone({ catalog, policy, asset }: ChooseDeps, choice: ModelChoice, client: Client, type: ServiceType): Promise<AppError> {
  const offers = await catalog.offers(undefined, wantedOf(choice, policy, client));
  const open = offers.filter((offer) => offer.serviceType === type).filter(allowed(policy, client));
  const named = offers.filter(({ model, id }) => model === choice.model || id === choice.providerId);
  const models = [...new Set(open.map(({ model }) => model))].slice(0, 20);
  const asked = JSON.stringify(choice.asked.slice(0, 80));
  const hint = models.length ? `On offer are: ${models.join(", ")}.` : "Nothing is on offer now; try again later.";
  const options = { param: "model", facts: { models }, hint };
  if (choice.model === undefined && choice.providerId === undefined) {
    return new AppError("NO_PROVIDER", `No active provider offers this kind of model for ${asset.symbol}.`, {
      ...options,
      retryAfterSeconds: 10,
    });
  }
  if (named.some((offer) => offer.serviceType === type)) {
    return new AppError("MODEL_NOT_FOUND", `The settings of this gateway do not allow ${asked}.`, options);
  }
  if (named.length > 0) return new AppError("UNSUPPORTED", `The model ${asked} does not offer this.`, options);
  return new AppError("MODEL_NOT_FOUND", `No active provider offers the model ${asked}.`, options);
}

function tooDear(offers: readonly Offer[], { policy, asset }: ChooseDeps): AppError {
  const cheapest = offers.reduce((a, b) => (b.pricePerSecond < a.pricePerSecond ? b : a));
  const maxPrice = policy.maxPrice ?? 0n;
  return new AppError(
    "PRICE_ABOVE_CAP",
    `The cheapest offer costs ${inWords(asset, cheapest.pricePerSecond)} a second, above the cap of ${inWords(asset, maxPrice)}.`,
    {
      param: "model",
      facts: { providerId: cheapest.id, pricePerSecond: String(cheapest.pricePerSecond), maxPrice: String(maxPrice) },
      hint: "Raise MAX_PRICE, or choose another model.",
    },
  );
}
