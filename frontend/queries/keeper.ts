import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, currentFees, decodeRevert, streamPayWrites } from "@clawcompute/lib/chain";
import { queryOptions } from "@tanstack/react-query";
import { type Address, encodeFunctionData, zeroAddress } from "viem";
import { journalOf } from "./journal.ts";
import { ledgerOnce, type StreamEntry } from "./ledger.ts";
import { streamFromWire } from "./payee.ts";
import { fromEither, refresh, type Source } from "./source.tsx";

/** A stream as the contract previews its update in the newest block. */
export interface Candidate extends StreamEntry {
  readonly accrued: bigint;
  /** The sender's part, in the stream's asset. */
  readonly reward: bigint;
  readonly completes: boolean;
}

const SHOWN = 200;
const IDS_PER_PREVIEW = 100;

/** Streams worth an update, most rewarding first, those that are past their end before the others. */
export const candidatesQuery = (source: Source) =>
  queryOptions({
    queryKey: ["candidates", source.chain.network.chainId],
    queryFn: async ({ client }) => {
      const streams = await fromEither(
        source,
        async (indexer) => {
          const [ended, rich] = await Promise.all([
            indexer.get("streams", { status: "ended", limit: SHOWN }),
            indexer.get("streams", { sort: "accrued", asset: zeroAddress, limit: SHOWN }),
          ]);
          const both = [...ended.items, ...rich.items].map(streamFromWire);
          return [...new Map(both.map((stream) => [stream.id, stream])).values()];
        },
        async () => {
          const { streams } = ledgerOnce((await journalOf(client, source.chain)).events);
          const open = [...streams.values()].filter(({ closedAt }) => closedAt === undefined);
          return open.sort((a, b) => a.end - b.end).slice(0, SHOWN * 2);
        },
      );
      const candidates = await previewed(source.chain, streams);
      return candidates.sort((a, b) => Number(b.completes) - Number(a.completes) || compare(b.reward, a.reward)).slice(0, SHOWN);
    },
    refetchInterval: refresh(source.chain),
  });

async function previewed(chain: Chain, streams: readonly StreamEntry[]): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (let from = 0; from < streams.length; from += IDS_PER_PREVIEW) {
    const part = streams.slice(from, from + IDS_PER_PREVIEW);
    const [previews] = await preview(
      chain,
      part.map(({ id }) => id),
    );
    for (const [index, { accrued, reward, completes }] of previews.entries()) {
      const stream = part[index];
      if (stream && accrued > 0n) candidates.push({ ...stream, accrued, reward, completes });
    }
  }
  return candidates;
}

async function preview({ client, network }: Chain, ids: readonly bigint[]) {
  const streamPay = { address: network.contracts.streamPay, abi: streamPayAbi } as const;
  try {
    return await client.readContract({ ...streamPay, functionName: "previewBatchUpdate", args: [ids] });
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}

/** What sending a batch would bring, in wei, by the contract's own preview and a simulation of the transaction. */
export interface BatchPreview {
  readonly nativeReward: bigint;
  readonly gas: bigint;
  readonly gasCost: bigint;
  readonly profit: bigint;
  readonly completes: number;
}

export const batchPreviewQuery = (chain: Chain, ids: readonly bigint[], sender: Address | undefined) =>
  queryOptions({
    queryKey: ["batch preview", chain.network.chainId, sender, ids.map(String).join(",")],
    queryFn: () => previewBatch(chain, ids, sender),
    enabled: ids.length > 0,
    refetchInterval: refresh(chain),
  });

export async function previewBatch(chain: Chain, ids: readonly bigint[], sender: Address | undefined): Promise<BatchPreview> {
  const { abi, functionName, args } = streamPayWrites.batchUpdateStreams(ids);
  try {
    const [[previews, nativeReward], gas, { expected }] = await Promise.all([
      preview(chain, ids),
      chain.client.estimateGas({
        to: chain.network.contracts.streamPay,
        data: encodeFunctionData({ abi, functionName, args }),
        ...(sender ? { account: sender } : {}),
      }),
      currentFees(chain),
    ]);
    const gasCost = gas * expected;
    const completes = previews.filter((one) => one.completes).length;
    return { nativeReward, gas, gasCost, profit: nativeReward - gasCost, completes };
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}

const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
