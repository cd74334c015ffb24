import type { Chain, ChainEvent } from "@clawcompute/lib/chain";
import { decodeRevert } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Address, Hash } from "viem";
import type { BatchTransaction } from "./project/book.ts";
import type { Surroundings } from "./writer.ts";

/**
 * Reads the times of blocks that did not come with their events, and who sent keepers' transactions at what gas. Throws CHAIN_STALE
 * when the chain has meanwhile another block there: the events are then read again.
 */
export async function readSurroundings(chain: Chain, events: readonly ChainEvent[]): Promise<Surroundings> {
  const times = new Map<Hash, number>();
  const missing = new Set<Hash>();
  const batches = new Map<Hash, ChainEvent>();
  for (const event of events) {
    if (event.timestamp !== undefined) times.set(event.blockHash, event.timestamp);
    else missing.add(event.blockHash);
    if (event.name === "StreamUpdated") batches.set(event.transactionHash, event);
  }
  const transactions = new Map<Hash, BatchTransaction>();
  await inParts(
    [...missing].filter((hash) => !times.has(hash)),
    async (blockHash) => {
      const block = await chain.client.getBlock({ blockHash }).catch((thrown) => {
        throw (thrown as Error).name === "BlockNotFoundError" ? stale(blockHash) : decodeRevert(thrown);
      });
      times.set(blockHash, Number(block.timestamp));
    },
  );
  await inParts([...batches.values()], async ({ transactionHash: hash, blockHash }) => {
    const receipt = await chain.client.getTransactionReceipt({ hash }).catch((thrown) => {
      throw (thrown as Error).name === "TransactionReceiptNotFoundError" ? stale(blockHash) : decodeRevert(thrown);
    });
    if (receipt.blockHash !== blockHash) throw stale(blockHash);
    const from = receipt.from.toLowerCase() as Address;
    transactions.set(hash, { from, gasUsed: receipt.gasUsed, gasPrice: receipt.effectiveGasPrice });
  });
  return {
    timeOf: (event) => times.get(event.blockHash) as number,
    batchOf: (entry) => transactions.get(entry.transactionHash),
  };
}

const atOnce = 100;

async function inParts<T>(items: readonly T[], read: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce) await Promise.all(items.slice(from, from + atOnce).map(read));
}

function stale(blockHash: Hash): AppError {
  return new AppError("CHAIN_STALE", "A block whose events were read is not known any more.", { facts: { blockHash } });
}
