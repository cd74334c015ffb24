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
  const { chainId, contracts, deployBlock } = chain.network;
  const name = `income:${chainId}:${payee.toLowerCase()}`;
  const [row] = await db.select().from(cursors).where(eq(cursors.name, name));
  const head = await chain.client.getBlock();
  // A local chain that began anew, or a reorganisation: what was looked at is not there any more.
  const seen = row && row.blockNumber <= head.number ? await chain.client.getBlock({ blockNumber: row.blockNumber }) : undefined;
  let from = row && seen?.hash === row.blockHash ? row.blockNumber + 1n : deployBlock;
  let range = RANGE;
  while (from <= head.number) {
    signal.throwIfAborted();
    const to = from + range - 1n < head.number ? from + range - 1n : head.number;
    try {
      const begun = await chain.client.getContractEvents({
        address: contracts.streamPay,
        abi: streamPayAbi,
        eventName: "StreamCreated",
        args: { payee },
        fromBlock: from,
        toBlock: to,
        strict: true,
      });
      await income.remember(begun.map(({ args }) => args.id));
    } catch (thrown) {
      if (range === 1n) throw thrown;
      range /= 2n;
      continue;
    }
    const { hash } = await chain.client.getBlock({ blockNumber: to });
    const set = { blockNumber: to, blockHash: hash };
    await db
      .insert(cursors)
      .values({ name, ...set })
      .onConflictDoUpdate({ target: cursors.name, set });
    from = to + 1n;
  }
}
