import type { Address } from "viem";
import type { Chain } from "./connect.ts";

/** Turns and nonces of one key on one chain, shared by every sender of this process that uses the key. */
export interface SendQueue {
  /** Runs `work` after everything that was handed in before it, whether that worked out or not. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** `pendingCount` is the chain's word; transactions that are out and that its mempool may have forgotten come on top. */
  nextNonce(pendingCount: number): number;
  take(nonce: number): void;
  release(nonce: number): void;
}

const queues = new Map<string, SendQueue>();

export function sendQueueOf(chain: Chain, address: Address): SendQueue {
  const key = `${chain.network.chainId} ${chain.network.rpcUrls[0]} ${address.toLowerCase()}`;
  const existing = queues.get(key);
  if (existing) return existing;
  const created = createSendQueue();
  queues.set(key, created);
  return created;
}

export function createSendQueue(): SendQueue {
  const out = new Set<number>();
  let tail: Promise<unknown> = Promise.resolve();
  return {
    inTurn: (work) => {
      const turn = tail.then(work, work);
      tail = turn.catch(() => {});
      return turn;
    },
    nextNonce: (pendingCount) => Math.max(pendingCount, ...[...out].map((nonce) => nonce + 1)),
    take: (nonce) => out.add(nonce),
    release: (nonce) => out.delete(nonce),
  };
}
