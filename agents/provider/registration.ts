import { type Offer, registryWrites, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Logger } from "@clawcompute/lib/node";
import { type Address, isAddressEqual } from "viem";
import { isLocalEndpoint } from "./isLocalEndpoint.ts";
import type { ListedTerms } from "./offers.ts";

/** What has to be written so that the registry shows our terms; `endpoint` is the one it will show. */
export type RegistrationPlan =
  | { readonly kind: "reuse"; readonly id: number }
  | { readonly kind: "leave"; readonly id: number }
  | { readonly kind: "update"; readonly id: number; readonly endpoint: string; readonly keptRemote: boolean }
  | { readonly kind: "register" };

/**
 * `existing` are the wallet's offers, newest first; `taken` the ids that other offers of this process use. An active offer of
 * the same model goes before one that was switched off. An endpoint that others can reach is never replaced by one that only
 * this machine can. One that was `listed` by us and is off the market was taken off by somebody, who has the word: it stays off.
 */
export function planRegistration(
  terms: ListedTerms,
  existing: readonly Offer[],
  taken: ReadonlySet<number>,
  listed: ReadonlySet<number> = new Set(),
): RegistrationPlan {
  const same = existing.filter(
    (offer) =>
      offer.model === terms.model &&
      offer.serviceType === terms.serviceType &&
      isAddressEqual(offer.asset, terms.asset) &&
      !taken.has(offer.id),
  );
  const active = same.find((offer) => offer.active);
  const takenOff = active ? undefined : same.find(({ id }) => listed.has(id));
  if (takenOff) return { kind: "leave", id: takenOff.id };
  const found = active ?? same[0];
  if (!found) return { kind: "register" };
  const keptRemote = isLocalEndpoint(terms.endpoint) && !isLocalEndpoint(found.endpoint);
  const endpoint = keptRemote ? found.endpoint : terms.endpoint;
  if (found.active && found.pricePerSecond === terms.pricePerSecond && found.endpoint === endpoint) return { kind: "reuse", id: found.id };
  return { kind: "update", id: found.id, endpoint, keptRemote };
}

export interface RegistrationDeps {
  readonly listOffers: () => Promise<readonly Offer[]>;
  /** Which of these offers this provider has put on the market before. */
  readonly listedOf: (ids: readonly number[]) => Promise<ReadonlySet<number>>;
  /** Undefined where the owner's key is kept elsewhere: then nothing can be written. */
  readonly sender: Sender | undefined;
  readonly owner: Address;
  readonly signer: Address;
  readonly logger: Logger;
}

/** Brings the registry up to date with one offer. Throws what the chain refuses. */
export async function registerOffer(
  deps: RegistrationDeps,
  terms: ListedTerms,
  taken: ReadonlySet<number>,
): Promise<{ readonly id: number; readonly active: boolean }> {
  const { listOffers, sender, owner, signer, logger } = deps;
  const existing = await listOffers();
  const plan = planRegistration(terms, existing, taken, await deps.listedOf(existing.map(({ id }) => id)));
  const { model, pricePerSecond, endpoint, serviceType, asset } = terms;
  let id: number;
  if (plan.kind === "register") {
    await writer(sender, `register ${model}`).send(
      registryWrites.registerProvider({ model, pricePerSecond, endpoint, serviceType, asset }),
    );
    const known = new Set(existing.map((offer) => offer.id));
    const fresh = (await listOffers()).find((offer) => offer.model === model && !known.has(offer.id));
    if (!fresh) throw new AppError("CHAIN_STALE", "The new offer is not visible on the chain yet.");
    id = fresh.id;
    logger.info({ providerId: id, model }, "offer registered");
  } else {
    id = plan.id;
    if (plan.kind === "leave") {
      logger.warn(
        { providerId: id, model },
        `the offer was taken off the market and stays off it; "claw provider resume ${id}" puts it back`,
      );
    }
    if (plan.kind === "update") {
      await writer(sender, `update offer ${id}`).send(
        registryWrites.updateProvider({ id, pricePerSecond, endpoint: plan.endpoint, active: true }),
      );
      logger.info({ providerId: id, model }, "offer updated");
      if (plan.keptRemote) {
        logger.warn(
          { providerId: id },
          "the registry keeps the endpoint it has: ENDPOINT_URL is an address that only this machine can reach",
        );
      }
    }
  }
  await appointSigner(deps, id, existing.find((offer) => offer.id === id)?.signer, owner, signer);
  return { id, active: plan.kind !== "leave" };
}

/** The owner may always sign; any other key must be named in the registry, or nobody will accept its signatures. */
async function appointSigner(
  { sender, logger }: RegistrationDeps,
  id: number,
  current: Address | undefined,
  owner: Address,
  signer: Address,
) {
  if (isAddressEqual(signer, owner) || (current !== undefined && isAddressEqual(current, signer))) return;
  await writer(sender, `appoint ${signer} as signer of offer ${id}`).send(registryWrites.setProviderSigner({ id, signer }));
  logger.info({ providerId: id, signer }, "signer appointed");
}

function writer(sender: Sender | undefined, what: string): Sender {
  if (sender) return sender;
  throw new AppError("WALLET_MISSING", `Only the owner's wallet can ${what}.`, {
    hint: "Start once with PROVIDER_PRIVATE_KEY, or do it with the owner's wallet elsewhere; afterwards the signer's key is enough.",
  });
}
