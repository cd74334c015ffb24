import type { Hash } from "viem";
import { AppError } from "../errors/index.ts";
import type { Chain } from "./connect.ts";
import { reading } from "./reading.ts";

/** A block that was seen. */
export interface BlockMark {
  readonly number: bigint;
  readonly hash: Hash;
}

export interface Header extends BlockMark {
  readonly parentHash: Hash;
  /** Unix seconds. */
  readonly timestamp: bigint;
}

/** Undefined reads the latest block. */
export async function readHeader(chain: Chain, blockNumber: bigint | undefined): Promise<Header> {
  const { number, hash, parentHash, timestamp } = await reading(() =>
    chain.client.getBlock(blockNumber === undefined ? {} : { blockNumber }).catch((thrown) => {
      if ((thrown as Error).name === "BlockNotFoundError") throw lagging(blockNumber);
      throw thrown;
    }),
  );
  if (number === null || hash === null) throw lagging(blockNumber);
  return { number, hash, parentHash, timestamp };
}

/**
 * The newest of `marks` that is still on the chain; undefined when none is. Every endpoint that answers must agree on it:
 * history is not thrown away on the word of one that lags, is on a fork, or lies. Throws CHAIN_STALE when they do not agree.
 */
export async function findCommonAncestor(chain: Chain, marks: readonly BlockMark[]): Promise<bigint | undefined> {
  const found = await Promise.allSettled(chain.endpoints.map((endpoint) => ancestorAt(endpoint, marks)));
  const answers = found.filter((answer) => answer.status === "fulfilled").map((answer) => answer.value);
  const failed = found.find((answer) => answer.status === "rejected");
  if (answers.length === 0 && failed) return reading(() => Promise.reject(failed.reason));
  if (answers.some((answer) => answer !== answers[0])) {
    throw new AppError("CHAIN_STALE", "The RPC endpoints disagree about the chain's history.", {
      facts: { ancestors: answers.map((answer) => String(answer ?? "none")) },
      hint: "Nothing is undone until they agree; check which of the RPC URLs is wrong.",
    });
  }
  return answers[0];
}

/** Bisects: once a block differs, all later ones do. */
async function ancestorAt(endpoint: Chain["client"], marks: readonly BlockMark[]): Promise<bigint | undefined> {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const mark = marks[middle] as BlockMark;
    if ((await hashAt(endpoint, mark.number)) === mark.hash) low = middle + 1;
    else high = middle;
  }
  return marks[low - 1]?.number;
}

async function hashAt(endpoint: Chain["client"], blockNumber: bigint): Promise<Hash | undefined> {
  try {
    return (await endpoint.getBlock({ blockNumber })).hash ?? undefined;
  } catch (thrown) {
    if ((thrown as Error).name === "BlockNotFoundError") return undefined;
    throw thrown;
  }
}

function lagging(blockNumber: bigint | undefined): AppError {
  return new AppError("CHAIN_STALE", "An RPC endpoint does not know a block that another one has named.", {
    facts: { block: String(blockNumber ?? "latest") },
  });
}
