import { streamPayAbi } from "@clawcompute/lib/abi";
import type { Chain } from "@clawcompute/lib/chain";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Address, Hash } from "viem";
import { journalOf } from "./journal.ts";
import { addSums, type BatchEntry, type Day, dayOf, ledgerOnce, type Sums } from "./ledger.ts";
import { fromEither, refresh, type Source } from "./source.tsx";

export interface NetworkTotals {
  readonly block: number;
  readonly streamsOpened: number;
  readonly streamsOpen: number;
  /** Past their end with money still inside. */
  readonly streamsEnded: number;
  readonly channelsOpen: number;
  readonly assets: readonly AssetTotals[];
  /** Unix seconds from which events were read; undefined: all of them were. */
  readonly since: number | undefined;
}

export interface AssetTotals extends Sums {
  readonly asset: Address;
  /** Still inside the contracts, credits not counted. */
  readonly held: bigint;
}

const heldOf = ({ deposited, paid, rewards, refunded }: Sums) => deposited - paid - rewards - refunded;
const moneyKeys = ["deposited", "paid", "rewards", "refunded"] as const;
type Money = Record<(typeof moneyKeys)[number], string>;
const moneyOf = (wire: Money) =>
  Object.fromEntries(moneyKeys.map((key) => [key, BigInt(wire[key])])) as Record<(typeof moneyKeys)[number], bigint>;

export const networkQuery = (source: Source) =>
  queryOptions({
    queryKey: ["network", source.chain.network.chainId],
    queryFn: ({ client }) =>
      fromEither(
        source,
        async (indexer): Promise<NetworkTotals> => {
          const { block, streams, channels, assets } = await indexer.get("stats", {});
          const whole = assets.map(({ soldMs: _, held, ...sums }) => ({ ...sums, ...moneyOf(sums), held: BigInt(held) }));
          const { opened: streamsOpened, open: streamsOpen, ended: streamsEnded } = streams;
          return { block, streamsOpened, streamsOpen, streamsEnded, channelsOpen: channels.open, assets: whole, since: undefined };
        },
        () => totalsFromChain(client, source.chain),
      ),
    refetchInterval: refresh(source.chain),
  });

async function totalsFromChain(client: QueryClient, chain: Chain): Promise<NetworkTotals> {
  const journal = await journalOf(client, chain);
  const { days, streams } = ledgerOnce(journal.events);
  const assets = new Map<Address, AssetTotals>();
  for (const { day: _, asset, ...sums } of days) {
    const known = assets.get(asset);
    const total = known ? addSums(known, sums) : { ...sums, asset, held: 0n };
    assets.set(asset, { ...total, held: heldOf(total) });
  }
  const open = [...streams.values()].filter(({ closedAt }) => closedAt === undefined);
  const channelsOpen = [...assets.values()].reduce((sum, { channelsOpened, channelsClosed }) => sum + channelsOpened - channelsClosed, 0);
  const streamsOpened = await chain.client.readContract({
    address: chain.network.contracts.streamPay,
    abi: streamPayAbi,
    functionName: "getProtocolStats",
    blockNumber: journal.toBlock,
  });
  return {
    block: Number(journal.toBlock),
    streamsOpened: Number(streamsOpened),
    streamsOpen: open.length,
    streamsEnded: open.filter(({ end }) => end <= journal.at).length,
    channelsOpen,
    assets: [...assets.values()],
    since: journal.isWhole ? undefined : (journal.events[0]?.at ?? journal.at),
  };
}

/** Sums by day and asset, newest first, of the last `count` days up to the chain's. */
export const daysQuery = (source: Source, count: number) =>
  queryOptions({
    queryKey: ["days", source.chain.network.chainId, count],
    queryFn: ({ client }) =>
      fromEither(
        source,
        async (indexer) => {
          const { at } = await indexer.get("health", {});
          const today = dayOf(at);
          const { items } = await indexer.get("daily", { from: today - count + 1, limit: 500 });
          return { today, days: items.map(dayFromWire) };
        },
        async () => {
          const { events, at } = await journalOf(client, source.chain);
          const today = dayOf(at);
          return { today, days: ledgerOnce(events).days.filter(({ day }) => day > today - count) };
        },
      ),
    refetchInterval: refresh(source.chain),
  });

export function dayFromWire({
  soldMs: _,
  date: _date,
  ...wire
}: Omit<IndexerAnswer<"daily">["items"][number], "streamsOpen"> & { date: string }): Day {
  return { ...wire, ...moneyOf(wire) };
}

/** One transaction of a keeper; amounts in wei. */
export interface KeeperAction extends BatchEntry {
  readonly keeper: Address;
  readonly gasCost: bigint;
}

const ACTIONS = 50;

export const keeperActionsQuery = (source: Source) =>
  queryOptions({
    queryKey: ["keeper actions", source.chain.network.chainId],
    queryFn: ({ client }) =>
      fromEither(
        source,
        async (indexer): Promise<KeeperAction[]> => {
          const { items } = await indexer.get("keeperActions", { limit: ACTIONS });
          return items.map(({ transactionHash: hash, blockNumber, at, keeper, streams, completed, reward, gasCost }) => {
            return { hash, blockNumber, at, keeper, streams, completed, reward: BigInt(reward), gasCost: BigInt(gasCost) };
          });
        },
        () => actionsFromChain(client, source.chain),
      ),
    refetchInterval: refresh(source.chain),
  });

async function actionsFromChain(client: QueryClient, chain: Chain): Promise<KeeperAction[]> {
  const { batches } = ledgerOnce((await journalOf(client, chain)).events);
  return Promise.all(batches.slice(0, ACTIONS).map(async (batch) => ({ ...batch, ...(await senderOf(client, chain, batch.hash)) })));
}

/** Who sent a transaction and what it cost. Asked once for each: an event that is gone takes its transaction with it. */
function senderOf(client: QueryClient, chain: Chain, hash: Hash): Promise<{ keeper: Address; gasCost: bigint }> {
  return client.fetchQuery({
    queryKey: ["receipt", chain.network.chainId, hash],
    queryFn: async () => {
      const { from, gasUsed, effectiveGasPrice } = await chain.client.getTransactionReceipt({ hash });
      return { keeper: from.toLowerCase() as Address, gasCost: gasUsed * effectiveGasPrice };
    },
    staleTime: 60_000,
  });
}

/** What a keeper did in all; amounts in wei. */
export interface KeeperTotals {
  readonly keeper: Address;
  readonly batches: number;
  readonly streams: number;
  readonly reward: bigint;
  readonly gasCost: bigint;
}

/** Keepers, most rewarded first. From the chain alone: of the newest batches. */
export const keepersQuery = (source: Source) =>
  queryOptions({
    queryKey: ["keepers", source.chain.network.chainId],
    queryFn: ({ client }) =>
      fromEither(
        source,
        async (indexer): Promise<KeeperTotals[]> => {
          const { items } = await indexer.get("keepers", { limit: 20 });
          return items.map(({ keeper, actions, streams, reward, gasCost }) => {
            return { keeper, batches: actions, streams, reward: BigInt(reward), gasCost: BigInt(gasCost) };
          });
        },
        async () => {
          const keepers = new Map<Address, KeeperTotals>();
          for (const { keeper, streams, reward, gasCost } of await actionsFromChain(client, source.chain)) {
            const known = keepers.get(keeper) ?? { keeper, batches: 0, streams: 0, reward: 0n, gasCost: 0n };
            keepers.set(keeper, {
              keeper,
              batches: known.batches + 1,
              streams: known.streams + streams,
              reward: known.reward + reward,
              gasCost: known.gasCost + gasCost,
            });
          }
          return [...keepers.values()].sort((a, b) => (a.reward < b.reward ? 1 : -1));
        },
      ),
    refetchInterval: refresh(source.chain),
  });
