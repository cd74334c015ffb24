import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, decodeRevert, type StreamEvent } from "@clawcompute/lib/chain";
import { type Address, formatLog, getAbiItem, numberToHex, parseEventLogs } from "viem";

const streamCreated = getAbiItem({ abi: streamPayAbi, name: "StreamCreated" });
const RANGE = 10_000n;
const IDS_PER_CALL = 200;

async function inRanges<T>(chain: Chain, fromBlock: bigint, read: (from: bigint, to: bigint) => Promise<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  try {
    const latest = await chain.client.getBlockNumber();
    for (let from = fromBlock; from <= latest; from += RANGE) {
      const to = from + RANGE - 1n < latest ? from + RANGE - 1n : latest;
      found.push(...(await read(from, to)));
    }
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
  return found;
}

/** Streams that `payer` ever opened since `fromBlock`, whatever became of them. */
export function findOpenings(chain: Chain, payer: Address, fromBlock: bigint): Promise<{ id: bigint }[]> {
  return inRanges(chain, fromBlock, async (from, to) => {
    const filter = { address: chain.network.contracts.streamPay, event: streamCreated, args: { payer }, fromBlock: from, toBlock: to };
    return (await chain.client.getLogs({ ...filter, strict: true })).map(({ args }) => ({ id: args.id }));
  });
}

/** Every event about these streams. */
export async function readStreamEvents(
  chain: Chain,
  streams: readonly { readonly id: bigint }[],
  fromBlock: bigint,
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for (let at = 0; at < streams.length; at += IDS_PER_CALL) {
    const ids = streams.slice(at, at + IDS_PER_CALL).map(({ id }) => numberToHex(id, { size: 32 }));
    const logs = await inRanges(chain, fromBlock, (from, to) =>
      chain.client.request({
        method: "eth_getLogs",
        // Every event about a stream has its id as the first topic.
        params: [
          {
            address: chain.network.contracts.streamPay,
            fromBlock: numberToHex(from),
            toBlock: numberToHex(to),
            topics: [null, ids],
          } as never,
        ],
      }),
    );
    events.push(...parseEventLogs({ abi: streamPayAbi, logs: logs.map((log) => formatLog(log as never)) as never }));
  }
  return events;
}
