import { streamPayAbi } from "@clawcompute/lib/abi";
import type { Chain } from "@clawcompute/lib/chain";
import { cursors, type Database, eq } from "@clawcompute/lib/store";
import type { Address } from "viem";
import type { Income } from "./withdraw.ts";

/** Blocks asked for at once; halved when an endpoint finds that too much. */
const RANGE = 5_000n;

/** Finds the streams that began while this provider was away, from the last block that was looked at. */
export async function readPastIncome(options: {
  readonly db: Database;
  readonly chain: Chain;
  readonly payee: Address;
  readonly income: Pick<Income, "remember">;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { db, chain, payee, income, signal } = options;
  const { chainId, deployBlock } = chain.network;
  const name = `income:${chainId}:${payee.toLowerCase()}`;
  const [row] = await db.select().from(cursors).where(eq(cursors.name, name));
  const head = await chain.client.getBlock();
  // A local chain that began anew, or a reorganisation: what was looked at is not there any more.
  const seen = row && row.blockNumber <= head.number ? await chain.client.getBlock({ blockNumber: row.blockNumber }) : undefined;
  const from = row && seen?.hash === row.blockHash ? row.blockNumber + 1n : deployBlock;
  for await (const { ids, to } of createdStreams({ chain, payee, from, to: head.number, signal })) {
    await income.remember(ids);
    const { hash } = await chain.client.getBlock({ blockNumber: to });
    const set = { blockNumber: to, blockHash: hash };
    await db
      .insert(cursors)
      .values({ name, ...set })
      .onConflictDoUpdate({ target: cursors.name, set });
  }
}

/** Ids of the streams that somebody is paid by, range by range of blocks, each as large as the endpoint allows. */
export async function* createdStreams(options: {
  readonly chain: Chain;
  readonly payee: Address;
  readonly from: bigint;
  readonly to: bigint;
  readonly signal: AbortSignal;
}): AsyncGenerator<{ readonly ids: readonly bigint[]; readonly to: bigint }> {
  const { chain, payee, to: last, signal } = options;
  let { from } = options;
  let range = RANGE;
  while (from <= last) {
    signal.throwIfAborted();
    const to = from + range - 1n < last ? from + range - 1n : last;
    try {
      const begun = await chain.client.getContractEvents({
        address: chain.network.contracts.streamPay,
        abi: streamPayAbi,
        eventName: "StreamCreated",
        args: { payee },
        fromBlock: from,
        toBlock: to,
        strict: true,
      });
      yield { ids: begun.map(({ args }) => args.id), to };
    } catch (thrown) {
      if (range === 1n || signal.aborted) throw thrown;
      range /= 2n;
      continue;
    }
    from = to + 1n;
  }
}
