import { computeRegistryAbi, streamPayAbi } from "@clawcompute/lib/abi";
import {
  type Chain,
  cheapestFirst,
  decodeRevert,
  listActiveOffers,
  listWalletOffers,
  type Offer,
  readOffer,
  readOffers,
} from "@clawcompute/lib/chain";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import { queryOptions } from "@tanstack/react-query";
import { type Address, getAddress, type Hash } from "viem";
import { fromEither, type IndexerReader, refresh, type Source } from "./source.tsx";

/** What an indexer's probes of the endpoint saw in seven days. */
export type Uptime = NonNullable<IndexerAnswer<"provider">["uptime"]>;

export interface MarketOffer extends Offer {
  /** Undefined without an indexer that probes. */
  readonly uptime?: Uptime;
}

/** Every active offer, cheapest first. Read once, then kept up to date by the registry's events. */
export const offersQuery = (chain: Chain, source?: Source) =>
  queryOptions({
    queryKey: ["offers", chain.network.chainId, chain.network.contracts.registry],
    queryFn: () => followOffers(source ?? { chain, indexer: undefined, coinPrice: undefined }),
    refetchInterval: refresh(chain),
  });

interface Snapshot {
  readonly offers: ReadonlyMap<number, MarketOffer>;
  readonly block: bigint;
  readonly hash: Hash;
  /** When everything was read, in `performance.now()`. */
  readonly wholeAt: number;
}

const WHOLE_EVERY_MS = 300_000;
const MOST_BLOCKS = 2000n;
const snapshots = new WeakMap<Chain, Snapshot>();

async function followOffers(source: Source): Promise<MarketOffer[]> {
  const { chain } = source;
  try {
    const head = await chain.client.getBlock();
    const known = snapshots.get(chain);
    const isFresh = known && performance.now() - known.wholeAt < WHOLE_EVERY_MS && head.number - known.block < MOST_BLOCKS;
    const next =
      isFresh && head.number >= known.block && (await isStillTrue(chain, known))
        ? await afterEvents(chain, known, head)
        : { ...(await readWhole(source)), wholeAt: performance.now() };
    snapshots.set(chain, next);
    return [...next.offers.values()].sort(cheapestFirst);
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}

const isStillTrue = async ({ client }: Chain, { block, hash }: Snapshot) => (await client.getBlock({ blockNumber: block })).hash === hash;

async function afterEvents(chain: Chain, known: Snapshot, head: { number: bigint; hash: Hash }): Promise<Snapshot> {
  if (head.number === known.block) return known;
  const address = chain.network.contracts.registry;
  const logs = await chain.client.getLogs({ address, fromBlock: known.block + 1n, toBlock: head.number });
  const ids = [...new Set(logs.flatMap(({ topics }) => (topics[1] === undefined ? [] : [BigInt(topics[1])])))];
  const end = { block: head.number, hash: head.hash, wholeAt: known.wholeAt };
  if (ids.length === 0) return { ...end, offers: known.offers };
  const offers = new Map(known.offers);
  for (const offer of await readOffers(chain, ids, head.number)) {
    const uptime = known.offers.get(offer.id)?.uptime;
    if (offer.active) offers.set(offer.id, { ...offer, ...(uptime && { uptime }) });
    else offers.delete(offer.id);
  }
  return { ...end, offers };
}

/** `block` is at most as new as what was read, so that nothing between is missed by the next look. */
async function readWhole(source: Source): Promise<Omit<Snapshot, "wholeAt">> {
  const { chain } = source;
  const head = await chain.client.getBlock();
  return fromEither(
    source,
    async (indexer) => {
      const { offers, block } = await readPages(indexer);
      const { number, hash } = block >= Number(head.number) ? head : await chain.client.getBlock({ blockNumber: BigInt(block) });
      return { offers: byId(offers), block: number, hash };
    },
    async () => ({ offers: byId(await listActiveOffers(chain)), block: head.number, hash: head.hash }),
  );
}

const byId = (offers: readonly MarketOffer[]) => new Map(offers.map((offer) => [offer.id, offer]));

async function readPages(indexer: IndexerReader): Promise<{ offers: MarketOffer[]; block: number }> {
  const offers: MarketOffer[] = [];
  let [cursor, block] = [undefined as string | undefined, undefined as number | undefined];
  do {
    const page: IndexerAnswer<"providers"> = await indexer.get("providers", {
      active: "true",
      sort: "id",
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    });
    offers.push(...page.items.map(offerOf));
    block ??= page.block;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return { offers, block };
}

function offerOf({ signer, owner, asset, pricePerSecond, completions, earned, uptime, updatedAt: _, ...rest }: IndexerAnswer<"provider">) {
  return {
    ...rest,
    owner: getAddress(owner),
    asset: getAddress(asset),
    signer: signer === null ? undefined : getAddress(signer),
    pricePerSecond: BigInt(pricePerSecond),
    completions: BigInt(completions),
    earned: BigInt(earned),
    ...(uptime === null ? {} : { uptime }),
  };
}

/** One offer, as the chain itself has it. */
export const offerQuery = (chain: Chain, id: number) =>
  queryOptions({
    queryKey: ["offer", chain.network.chainId, chain.network.contracts.registry, id],
    queryFn: () => readOffer(chain, id),
    refetchInterval: refresh(chain),
  });

/** All offers of a wallet, active or not, newest first, as the chain itself has them. */
export const walletOffersQuery = (chain: Chain, owner: Address | undefined) =>
  queryOptions({
    queryKey: ["wallet offers", chain.network.chainId, chain.network.contracts.registry, owner],
    queryFn: () => listWalletOffers(chain, owner as Address),
    enabled: owner !== undefined,
    refetchInterval: refresh(chain),
  });

export interface MarketStats {
  readonly registered: bigint;
  readonly active: bigint;
  readonly streams: bigint;
  readonly block: bigint;
}

export const statsQuery = (chain: Chain) =>
  queryOptions({
    queryKey: ["stats", chain.network.chainId, chain.network.contracts.registry],
    queryFn: async (): Promise<MarketStats> => {
      const { registry, streamPay } = chain.network.contracts;
      const [[registered, active], streams, block] = await Promise.all([
        chain.client.readContract({ address: registry, abi: computeRegistryAbi, functionName: "getRegistryStats" }),
        chain.client.readContract({ address: streamPay, abi: streamPayAbi, functionName: "getProtocolStats" }),
        chain.client.getBlockNumber(),
      ]);
      return { registered, active, streams, block };
    },
    refetchInterval: refresh(chain),
  });
