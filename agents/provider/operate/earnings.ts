import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, chainTimeMs, readStream, type Sender, type StreamState, streamPayWrites } from "@clawcompute/lib/chain";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { createdStreams } from "../pastIncome.ts";
import { isDue } from "../withdraw.ts";

/** What belongs to a payee in one asset, raw units. */
export interface Earnings {
  readonly asset: Address;
  /** Ended streams: may be collected. */
  readonly due: bigint;
  /** Credits from cancels and keepers: may be collected. */
  readonly credit: bigint;
  /** What the clock has made due in open streams; their payers may still settle for less. */
  readonly accruing: bigint;
  readonly openStreams: number;
  readonly dueStreams: readonly bigint[];
}

/** From the chain alone, so that it needs neither the provider's store nor its process. */
export async function readEarnings(options: {
  readonly chain: Chain;
  readonly payee: Address;
  readonly assets: readonly Address[];
  readonly signal: AbortSignal;
}): Promise<readonly Earnings[]> {
  const { chain, payee, signal } = options;
  const [head, nowMs] = await Promise.all([chain.client.getBlockNumber(), chainTimeMs(chain)]);
  const nowSeconds = Math.floor(nowMs / 1000);
  const streams: StreamState[] = [];
  for await (const { ids } of createdStreams({ chain, payee, from: chain.network.deployBlock, to: head, signal })) {
    const read = await Promise.all(ids.map((id) => readStream(chain, id)));
    streams.push(...read.filter(({ status, payee: paid }) => (status === "active" || status === "ended") && isAddressEqual(paid, payee)));
  }
  const assets = new Map(
    [zeroAddress, ...options.assets, ...streams.map(({ asset }) => asset)].map((asset) => [asset.toLowerCase(), asset]),
  );
  return Promise.all([...assets.values()].map((asset) => earningsIn(chain, payee, asset, streams, nowSeconds)));
}

async function earningsIn(
  chain: Chain,
  payee: Address,
  asset: Address,
  all: readonly StreamState[],
  nowSeconds: number,
): Promise<Earnings> {
  const streams = all.filter((stream) => isAddressEqual(stream.asset, asset));
  const due = streams.filter((stream) => isDue(stream, nowSeconds));
  const open = streams.filter((stream) => !due.includes(stream) && stream.end > stream.lastPaid);
  const accrued = ({ ratePerSecond, end, lastPaid }: StreamState) =>
    ratePerSecond * BigInt(Math.max(0, Math.min(nowSeconds, end) - lastPaid));
  const sum = (list: readonly StreamState[]) => list.reduce((total, stream) => total + accrued(stream), 0n);
  const credit = await chain.client.readContract({
    address: chain.network.contracts.streamPay,
    abi: streamPayAbi,
    functionName: "creditOf",
    args: [payee, asset],
  });
  return { asset, due: sum(due), credit, accruing: sum(open), openStreams: open.length, dueStreams: due.map(({ id }) => id) };
}

export interface Collected {
  readonly what: string;
  readonly asset: Address;
  readonly amount: bigint;
  readonly hash: string;
  readonly feeWei: bigint;
}

/** Collects what may be collected. Native coin that would not pay for its own gas is left where it is. */
export async function collectEarnings(
  sender: Sender,
  payee: Address,
  earnings: readonly Earnings[],
  read: (id: bigint) => Promise<StreamState>,
) {
  const collected: Collected[] = [];
  const left: { readonly what: string; readonly amount: bigint }[] = [];
  for (const { asset, credit, dueStreams } of earnings) {
    const calls = await Promise.all(
      dueStreams.map(async (id) => {
        const { ratePerSecond, end, lastPaid } = await read(id);
        return { what: `stream ${id}`, call: streamPayWrites.withdrawFromStream(id), amount: ratePerSecond * BigInt(end - lastPaid) };
      }),
    );
    if (credit > 0n) calls.push({ what: "credit", call: streamPayWrites.withdrawCredit({ asset, to: payee }), amount: credit });
    for (const { what, call, amount } of calls) {
      const { feeWei } = await sender.estimate(call);
      if (asset === zeroAddress && feeWei >= amount) {
        left.push({ what, amount });
        continue;
      }
      const sent = await sender.send(call);
      collected.push({ what, asset, amount, hash: sent.hash, feeWei: sent.feeWei });
    }
  }
  return { collected, left };
}
