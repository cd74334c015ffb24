import type { Offer } from "@clawcompute/lib/chain";
import { inWords } from "../asset.ts";
import type { Client } from "../budget/budget.ts";
import { allowed, service } from "../selection/choose.ts";
import { rankOffers } from "../selection/rank.ts";
import type { GatewayContext } from "./context.ts";

/** What is known of a model beside its name. */
export interface ModelDetails {
  /** Of the offer that would be chosen now; null where several models are behind the name. */
  readonly providerId: number | null;
  readonly pricePerSecondWei: string | null;
  readonly pricePerSecond: string | null;
  readonly providers: number;
  readonly service: "text" | "image" | "audio" | "embedding";
  readonly registeredAt: number | null;
  readonly completions: string | null;
  /** As the provider announces it; null while it says nothing. */
  readonly contextTokens: number | null;
  readonly ownFirstTokenMs: number | null;
  readonly ownTokensPerSecond: number | null;
  readonly local: boolean;
}

export interface ListedModel {
  readonly name: string;
  readonly ownedBy: string;
  readonly details: ModelDetails;
}

const serviceNames = ["text", "image", "audio", "embedding"] as const;

/** A list waits this long for providers that were never asked. */
const LOOK_MS = 500;

/** `auto` first, then each model by its best offer, then each offer by `name@provider` (C-016, C-075). */
export async function listModels(context: GatewayContext, client: Client): Promise<ListedModel[]> {
  const { catalog, policy, seenOf, isWarm, asset } = context.chat.choose;
  const offers = (await catalog.offers()).filter(allowed(policy, client));
  const { contexts } = context.chat;
  await contexts.look(offers, LOOK_MS);
  const ranked = rankOffers(offers, { mode: "balanced", nowMs: context.clock.now(), seenOf, isWarm });
  const describe = (name: string, offer: Offer, providers: number): ListedModel => {
    const seen = seenOf(offer.id);
    return {
      name,
      ownedBy: offer.owner,
      details: {
        providerId: offer.id,
        pricePerSecondWei: String(offer.pricePerSecond),
        pricePerSecond: inWords(asset, offer.pricePerSecond),
        providers,
        service: serviceNames[offer.serviceType] ?? "text",
        registeredAt: offer.registeredAt,
        completions: String(offer.completions),
        contextTokens: contexts.of(offer.id) ?? null,
        ownFirstTokenMs: seen.firstTokenMs === undefined ? null : Math.round(seen.firstTokenMs),
        ownTokensPerSecond: seen.tokensPerSecond === undefined ? null : Math.round(seen.tokensPerSecond),
        local: false,
      },
    };
  };
  const names = [...new Set(ranked.map(({ offer }) => offer.model))].sort();
  const best = names.map((name) => {
    const same = ranked.filter(({ offer }) => offer.model === name);
    return describe(name, (same[0] as (typeof same)[0]).offer, same.length);
  });
  const local = (await context.chat.local?.models().catch(() => [])) ?? [];
  const texts = offers.filter(({ serviceType }) => serviceType === service.text);
  return [
    ...(texts.length > 0 ? ["auto", "auto:cheap", "auto:fast"].map((name) => behind(name, texts.length)) : []),
    ...local
      .filter((name) => !names.includes(name))
      .map((name) => ({ ...behind(name, 0), ownedBy: "local", details: { ...behind(name, 0).details, local: true } })),
    ...best,
    ...[...offers].sort((a, b) => a.id - b.id).map((offer) => describe(`${offer.model}@${offer.id}`, offer, 1)),
  ];
}

const behind = (name: string, providers: number): ListedModel => ({
  name,
  ownedBy: "clawcompute",
  details: {
    providerId: null,
    pricePerSecondWei: null,
    pricePerSecond: null,
    providers,
    service: "text",
    registeredAt: null,
    completions: null,
    contextTokens: null,
    ownFirstTokenMs: null,
    ownTokensPerSecond: null,
    local: false,
  },
});
