import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, chainTimeMs, readStream, type Sender, type StreamState, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { and, type Database, eq, incomeStreams } from "@clawcompute/lib/store";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { createdStreams, readPastIncome } from "../pastIncome.ts";
import { createIncomeRecord, isDue } from "../withdraw.ts";

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

/** With the provider's store, from the block that was looked at last; without it from the whole chain. */
export async function readEarnings(options: {
  readonly chain: Chain;
  readonly db: Database | undefined;
  readonly payee: Address;
  readonly assets: readonly Address[];
  readonly signal: AbortSignal;
}): Promise<readonly Earnings[]> {
  const { chain, payee } = options;
  const nowSeconds = Math.floor((await chainTimeMs(chain)) / 1000);
  const streams: StreamState[] = [];
  for await (const ids of openStreams(options)) {
    const read = await Promise.all(ids.map((id) => readStream(chain, id)));
    streams.push(...read.filter(({ status, payee: paid }) => (status === "active" || status === "ended") && isAddressEqual(paid, payee)));
  }
  const assets = new Map(
    [zeroAddress, ...options.assets, ...streams.map(({ asset }) => asset)].map((asset) => [asset.toLowerCase(), asset]),
  );
  return Promise.all([...assets.values()].map((asset) => earningsIn(chain, payee, asset, streams, nowSeconds)));
}

const AT_ONCE = 100;

/** Ids of streams that may not be closed yet, a hundred at a time. */
async function* openStreams(options: Parameters<typeof readEarnings>[0]): AsyncGenerator<readonly bigint[]> {
  const { chain, db, payee, signal } = options;
  if (!db) {
    const head = await chain.client.getBlockNumber();
    for await (const { ids } of createdStreams({ chain, payee, from: chain.network.deployBlock, to: head, signal })) yield ids;
    return;
  }
  await readPastIncome({ db, chain, payee, income: createIncomeRecord({ db, chain, payee }), signal });
  const rows = await db
    .select({ id: incomeStreams.streamId })
    .from(incomeStreams)
    .where(and(eq(incomeStreams.chainId, chain.network.chainId), eq(incomeStreams.payee, payee), eq(incomeStreams.closed, false)));
  const ids = rows.map(({ id }) => id);
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    signal.throwIfAborted();
    yield ids.slice(from, from + AT_ONCE);
  }
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
  sender: Sender | undefined,
  payee: Address,
  earnings: readonly Earnings[],
  read: (id: bigint) => Promise<StreamState>,
) {
  if (!sender) throw new AppError("WALLET_MISSING", "Only the owner's wallet can collect.", { hint: "Run this where the owner's key is." });
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
