import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, decodeRevert } from "@clawcompute/lib/chain";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { type Abi, decodeEventLog, type Hash, type Log } from "viem";
import { refresh } from "./source.tsx";

/** An event as the indexer tells it: addresses in lower case, numbers as decimal strings. Names and endpoints are untrusted text. */
export type ChainEvent = IndexerAnswer<"events">["items"][number];

/** The contracts' events as this page has read them from the chain itself. */
export interface Journal {
  /** Oldest first. */
  readonly events: readonly ChainEvent[];
  readonly fromBlock: bigint;
  /** False: older blocks were left out, because the chain is too long to be read by a page. */
  readonly isWhole: boolean;
  readonly toBlock: bigint;
  readonly toHash: Hash;
  /** Chain time of `toBlock`, unix seconds. */
  readonly at: number;
}

/** How far back a page looks on a public chain; a local one is read whole. */
const LOOK_BACK_BLOCKS = 50_000n;
const BLOCKS_AT_ONCE = 10_000n;
/** What is read again when blocks were taken back. */
const REORGANISED_BLOCKS = 64n;

export const journalQuery = (chain: Chain) =>
  queryOptions({
    queryKey: ["journal", chain.network.chainId, chain.network.contracts.streamPay],
    queryFn: ({ client, queryKey }) => readJournal(chain, client.getQueryData<Journal>(queryKey)),
  });

/** The journal, at most one refresh old; shared by every query that reads from the chain. */
export const journalOf = (client: QueryClient, chain: Chain): Promise<Journal> =>
  client.fetchQuery({ ...journalQuery(chain), staleTime: refresh(chain) / 2, retry: 1 });

/**
 * Goes on from what was read before. When the last block that was read is no longer the chain's, the newest blocks are read again;
 * when that is not enough, all of them.
 */
export async function readJournal(chain: Chain, before?: Journal): Promise<Journal> {
  const { client, network } = chain;
  try {
    const head = await client.getBlock();
    const [toBlock, at] = [head.number, Number(head.timestamp)];
    const end = { toBlock, toHash: head.hash, at };
    const kept = before && (await stillTrue(chain, before, toBlock));
    if (kept) return { ...kept, ...end, events: [...kept.events, ...(await readEvents(chain, kept.toBlock + 1n, toBlock))] };
    const fromBlock =
      network.isLocal || toBlock - network.deployBlock < LOOK_BACK_BLOCKS ? network.deployBlock : toBlock - LOOK_BACK_BLOCKS;
    return { ...end, fromBlock, isWhole: fromBlock === network.deployBlock, events: await readEvents(chain, fromBlock, toBlock) };
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}

async function stillTrue({ client }: Chain, before: Journal, head: bigint): Promise<Journal | undefined> {
  if (before.toBlock > head) return undefined;
  const seen = await client.getBlock({ blockNumber: before.toBlock });
  if (seen.hash === before.toHash) return before;
  const toBlock = before.toBlock - REORGANISED_BLOCKS;
  if (toBlock < before.fromBlock) return undefined;
  return { ...before, toBlock, events: before.events.filter(({ blockNumber }) => blockNumber <= Number(toBlock)) };
}

async function readEvents(chain: Chain, fromBlock: bigint, toBlock: bigint): Promise<ChainEvent[]> {
  const { client, network } = chain;
  const address = Object.values(network.contracts);
  const logs: Log<bigint, number, false>[] = [];
  for (let from = fromBlock; from <= toBlock; from += BLOCKS_AT_ONCE) {
    const to = from + BLOCKS_AT_ONCE - 1n;
    logs.push(...(await client.getLogs({ address, fromBlock: from, toBlock: to < toBlock ? to : toBlock })));
  }
  const times = await timesOf(chain, logs);
  return logs.flatMap((log) => eventOf(chain, log, times.get(log.blockNumber) ?? 0) ?? []);
}

/** Nodes that tell a block's time with its logs save a request for each block. */
async function timesOf({ client }: Chain, logs: readonly Log<bigint, number, false>[]): Promise<Map<bigint, number>> {
  const times = new Map<bigint, number>();
  for (const { blockNumber, blockTimestamp } of logs) if (blockTimestamp) times.set(blockNumber, Number(blockTimestamp));
  const missing = [...new Set(logs.map(({ blockNumber }) => blockNumber))].filter((block) => !times.has(block));
  await Promise.all(missing.map(async (blockNumber) => times.set(blockNumber, Number((await client.getBlock({ blockNumber })).timestamp))));
  return times;
}

function eventOf({ network }: Chain, log: Log<bigint, number, false>, at: number): ChainEvent | undefined {
  const abis = { registry: computeRegistryAbi, streamPay: streamPayAbi, paymentChannel: paymentChannelAbi } as const;
  const contracts = Object.keys(abis) as (keyof typeof abis)[];
  const contract = contracts.find((name) => network.contracts[name].toLowerCase() === log.address.toLowerCase());
  if (!contract) return undefined;
  try {
    const decoded = decodeEventLog({ abi: abis[contract] as Abi, data: log.data, topics: log.topics, strict: true });
    return {
      blockNumber: Number(log.blockNumber),
      logIndex: log.logIndex,
      transactionHash: log.transactionHash,
      at,
      contract,
      name: decoded.eventName ?? "",
      args: Object.fromEntries(Object.entries(decoded.args ?? {}).map(([key, value]) => [key, onWire(value)])),
    };
  } catch {
    // An event of a later contract than this page knows.
    return undefined;
  }
}

function onWire(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value) ? value.toLowerCase() : value;
}
