import { type Address, isAddressEqual, zeroAddress } from "viem";
import { computeRegistryAbi } from "../abi/index.ts";
import type { Chain } from "./connect.ts";
import { reading } from "./reading.ts";

/** A provider's offer as the registry holds it. `model` and `endpoint` are untrusted text. */
export interface Offer {
  readonly id: number;
  readonly owner: Address;
  /** Hot key that may sign receipts and settlements. */
  readonly signer: Address | undefined;
  /** Zero address: the native coin. */
  readonly asset: Address;
  /** Raw units of `asset`. */
  readonly pricePerSecond: bigint;
  readonly serviceType: number;
  readonly active: boolean;
  /** Unix seconds. */
  readonly registeredAt: number;
  readonly completions: bigint;
  readonly earned: bigint;
  readonly model: string;
  readonly endpoint: string;
}

const idsPerCall = 1000;
const offersPerCall = 100;
/** More at once would wait for each other at the endpoint until their time is up. */
const callsAtOnce = 20;

/** Throws COMPUTE_REGISTRY_UNKNOWN_PROVIDER. */
export async function readOffer(chain: Chain, id: number): Promise<Offer> {
  const provider = await reading(() => chain.client.readContract({ ...registry(chain), functionName: "getProvider", args: [BigInt(id)] }));
  return offerOf(id, provider);
}

export interface OfferFilter {
  readonly model?: string;
  /** Zero address: the native coin. Left out: every asset. */
  readonly asset?: Address;
  /** Reads at most so many: with model and asset the cheapest ones, otherwise any. */
  readonly limit?: number;
}

/** One consistent picture of all active offers: native coin first, then by asset, cheapest first. With both filters set it reads only what matches. */
export async function listActiveOffers(chain: Chain, filter: OfferFilter = {}): Promise<Offer[]> {
  const { model, asset, limit } = filter;
  const page = (at: bigint, offset: bigint, size: bigint) =>
    model !== undefined && asset !== undefined
      ? chain.client.readContract({
          ...registry(chain),
          functionName: "getProvidersByModel",
          args: [model, asset, offset, size],
          blockNumber: at,
        })
      : chain.client.readContract({
          ...registry(chain),
          functionName: "getActiveProviderIds",
          args: [offset, size],
          blockNumber: at,
        });
  const { blockNumber, ids } = await snapshot(chain, page, limit);
  const offers = await readOffers(chain, ids, blockNumber);
  return offers
    .filter((offer) => (model === undefined || offer.model === model) && (asset === undefined || isAddressEqual(offer.asset, asset)))
    .sort(cheapestFirst);
}

/** All offers of a wallet, active or not, newest first. */
export async function listWalletOffers(chain: Chain, owner: Address): Promise<Offer[]> {
  const { blockNumber, ids } = await snapshot(chain, (at, offset, size) =>
    chain.client.readContract({
      ...registry(chain),
      functionName: "getWalletProviders",
      args: [owner, offset, size],
      blockNumber: at,
    }),
  );
  const offers = await readOffers(chain, ids, blockNumber);
  return offers.sort((a, b) => b.id - a.id);
}

/** Reads all pages at one block, so that a provider coming or going meanwhile neither hides nor doubles another. */
async function snapshot(
  chain: Chain,
  page: (blockNumber: bigint, offset: bigint, size: bigint) => Promise<readonly bigint[]>,
  limit = Number.POSITIVE_INFINITY,
) {
  const blockNumber = await reading(() => chain.client.getBlockNumber());
  const ids: bigint[] = [];
  for (;;) {
    const size = Math.min(idsPerCall, limit - ids.length);
    const more = size > 0 ? await reading(() => page(blockNumber, BigInt(ids.length), BigInt(size))) : [];
    ids.push(...more);
    if (more.length < idsPerCall) return { blockNumber, ids };
  }
}

/** Some offers, active or not, as they were at a block. Throws COMPUTE_REGISTRY_UNKNOWN_PROVIDER. */
export async function readOffers(chain: Chain, ids: readonly bigint[], blockNumber: bigint): Promise<Offer[]> {
  const pages = Array.from({ length: Math.ceil(ids.length / offersPerCall) }, (_, index) =>
    ids.slice(index * offersPerCall, (index + 1) * offersPerCall),
  );
  const read: Offer[] = [];
  for (let from = 0; from < pages.length; from += callsAtOnce) {
    const some = await Promise.all(pages.slice(from, from + callsAtOnce).map((page) => readPage(chain, page, blockNumber)));
    for (const page of some) read.push(...page);
  }
  return read;
}

async function readPage(chain: Chain, page: readonly bigint[], blockNumber: bigint): Promise<Offer[]> {
  const providers = await reading(() =>
    chain.client.readContract({ ...registry(chain), functionName: "getProviders", args: [page], blockNumber }),
  );
  return providers.map((provider, index) => offerOf(Number(page[index]), provider));
}

function registry(chain: Chain) {
  return { address: chain.network.contracts.registry, abi: computeRegistryAbi } as const;
}

interface Provider extends Omit<Offer, "id" | "signer"> {
  readonly signer: Address;
}

function offerOf(id: number, provider: Provider): Offer {
  const { owner, signer, asset, pricePerSecond, serviceType, active, registeredAt, completions, earned, model, endpoint } = provider;
  const noSigner = isAddressEqual(signer, zeroAddress);
  return {
    id,
    owner,
    signer: noSigner ? undefined : signer,
    asset,
    pricePerSecond,
    serviceType,
    active,
    registeredAt,
    completions,
    earned,
    model,
    endpoint,
  };
}

/** Native coin first, then by asset, by price, by age. */
export function cheapestFirst(a: Offer, b: Offer): number {
  const [left, right] = [a.asset.toLowerCase(), b.asset.toLowerCase()];
  if (left !== right) return left < right ? -1 : 1;
  if (a.pricePerSecond !== b.pricePerSecond) return a.pricePerSecond < b.pricePerSecond ? -1 : 1;
  return a.id - b.id;
}
