import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, decodeRevert, readStream, type StreamState } from "@clawcompute/lib/chain";
import { queryOptions } from "@tanstack/react-query";
import { type Address, getAbiItem, type Hash } from "viem";

const created = getAbiItem({ abi: streamPayAbi, name: "StreamCreated" });
const settled = getAbiItem({ abi: streamPayAbi, name: "StreamSettled" });
const redirected = getAbiItem({ abi: streamPayAbi, name: "StreamRedirected" });
const cancelled = getAbiItem({ abi: streamPayAbi, name: "StreamCancelled" });
/** How far back is looked on chains with many blocks; a local chain is read whole. */
const LOOK_BACK_BLOCKS = 50_000n;

export interface OwnStream extends StreamState {
  /** The rate times the seconds from start to end; not known any more for one that is gone. */
  readonly deposit: bigint;
  readonly openHash: Hash;
  /** How it ended, where its payer or payee ended it. */
  readonly ending: { readonly paid: bigint; readonly refunded: bigint; readonly hash: Hash } | undefined;
}

/** Streams that this wallet opened, newest first, from the chain alone. */
export const streamsQuery = (chain: Chain, payer: Address | undefined) =>
  queryOptions({
    queryKey: ["streams", chain.network.chainId, payer],
    queryFn: () => readStreams(chain, payer as Address),
    enabled: payer !== undefined,
    refetchInterval: Math.max(4000, chain.network.blockTimeMs * 3),
  });

async function readStreams(chain: Chain, payer: Address): Promise<OwnStream[]> {
  const { client, network } = chain;
  try {
    const latest = await client.getBlockNumber();
    const fromBlock = network.isLocal || latest < LOOK_BACK_BLOCKS ? network.deployBlock : latest - LOOK_BACK_BLOCKS;
    const shared = { address: network.contracts.streamPay, fromBlock, toBlock: latest, strict: true } as const;
    const openings = await client.getLogs({ ...shared, event: created, args: { payer } });
    const ids = openings.map(({ args }) => args.id);
    if (ids.length === 0) return [];
    const [settlements, cancellations, redirections, states] = await Promise.all([
      client.getLogs({ ...shared, event: settled, args: { id: ids } }),
      client.getLogs({ ...shared, event: cancelled, args: { id: ids } }),
      client.getLogs({ ...shared, event: redirected, args: { id: ids } }),
      Promise.all(ids.map((id) => readStream(chain, id, latest))),
    ]);
    const endings = new Map(
      [...settlements, ...cancellations, ...redirections].map(({ args, transactionHash: hash }) => [args.id, { ...args, hash }]),
    );
    return openings
      .map(({ args, transactionHash: openHash }, index) => {
        const state = states[index] as StreamState;
        const isGone = state.status === "closed";
        const { payee, asset, ratePerSecond, start, end, providerId } = args;
        const opened = { payer, payee, asset, ratePerSecond, start: Number(start), end: Number(end), providerId: Number(providerId) };
        const known = isGone ? { ...state, ...opened } : state;
        return { ...known, deposit: known.ratePerSecond * BigInt(known.end - known.start), openHash, ending: endings.get(args.id) };
      })
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}
