import { streamPayAbi } from "@clawcompute/lib/abi";
import type { Chain } from "@clawcompute/lib/chain";
import type { Clock } from "@clawcompute/lib/node";
import { type Address, decodeFunctionData, getAbiItem, keccak256, stringToHex, toFunctionSelector } from "viem";

/** Windows after which a keeper that was not seen again no longer counts. */
const FORGOTTEN_AFTER = 20n;
const MOST_BLOCKS = 2_000n;
const MOST_LOOKUPS = 20;
const MOST_WINDOWS_OUT = 16;

/** Who of the keepers that are seen on chain goes when, so that they do not pay for the same update. */
export interface Turns {
  /** Looks at the chain for keepers that updated streams lately. */
  look(): Promise<void>;
  /** How many others there are. */
  rivals(): number;
  /** Milliseconds until this keeper's next turn. `lastMs`: when its last round began. */
  waitMs(lastMs: number | undefined): number;
  /** Whether a stream is this keeper's when there is work for several. */
  isMine(id: bigint): boolean;
  /** A batch was sent and another keeper was faster: stays out for a growing number of windows. */
  beaten(): void;
  /** A batch paid. */
  paid(): void;
}

export interface TurnsOptions {
  readonly chain: Chain;
  readonly own: Address;
  readonly everyMs: number;
  readonly clock: Clock;
}

/**
 * The order within a window is a hash of window and address: every keeper works out the same one without a word between them, and
 * everybody is first about as often. One that is gone leaves its streams to the others with the next window.
 */
export function createTurns({ chain, own, everyMs, clock }: TurnsOptions): Turns {
  const { network, client } = chain;
  const { streamPay } = network.contracts;
  const seen = new Map<Address, bigint>();
  let readTo: bigint | undefined;
  let head = 0n;
  let losses = 0;

  const reach = () => larger(FORGOTTEN_AFTER * BigInt(Math.ceil(everyMs / network.blockTimeMs)), 64n);
  const others = () => [...seen].filter(([, block]) => block + reach() >= head).map(([address]) => address);
  const windowAt = (ms: number) => Math.floor(ms / everyMs);
  const rankIn = (window: number) => turnOf(window, own, others());

  return {
    rivals: () => others().length,
    look: async () => {
      head = await client.getBlockNumber();
      const oldest = larger(head - smaller(reach(), MOST_BLOCKS), network.deployBlock);
      const fromBlock = readTo === undefined || readTo < oldest ? oldest : readTo + 1n;
      if (fromBlock > head) return;
      const event = getAbiItem({ abi: streamPayAbi, name: "StreamUpdated" });
      const logs = await client.getLogs({ address: streamPay, event, fromBlock, toBlock: head });
      const newest = new Map(logs.map((log) => [log.transactionHash, log.blockNumber]));
      for (const [hash, block] of [...newest].reverse().slice(0, MOST_LOOKUPS)) {
        const { from } = await client.getTransaction({ hash });
        const address = from.toLowerCase() as Address;
        if (address !== own.toLowerCase()) seen.set(address, larger(seen.get(address) ?? 0n, block));
      }
      readTo = head;
    },
    waitMs: (lastMs) => {
      const now = clock.now();
      const out = losses === 0 ? 0 : Math.min(2 ** (losses - 1), MOST_WINDOWS_OUT) * everyMs;
      const earliest = lastMs === undefined ? now : lastMs + (losses === 0 ? everyMs / 2 : out);
      const keepers = others().length + 1;
      if (keepers === 1) return Math.max(0, (lastMs === undefined ? now : lastMs + everyMs + out) - now);
      const turnMs = Math.min(2 * network.blockTimeMs, everyMs / keepers);
      let window = windowAt(Math.max(now, earliest));
      while (window * everyMs + rankIn(window) * turnMs < Math.max(now, earliest)) window += 1;
      return window * everyMs + rankIn(window) * turnMs - now;
    },
    isMine: (id) => {
      const keepers = others().length + 1;
      return Number(id % BigInt(keepers)) === rankIn(windowAt(clock.now()));
    },
    beaten: () => {
      losses += 1;
    },
    paid: () => {
      losses = 0;
    },
  };
}

/** The place of `own` among the keepers in a window, from 0. */
export function turnOf(window: number, own: Address, others: readonly Address[]): number {
  const weight = (address: Address) => keccak256(stringToHex(`${window} ${address.toLowerCase()}`));
  const mine = weight(own);
  return others.filter((other) => other.toLowerCase() !== own.toLowerCase() && weight(other) < mine).length;
}

const batchSelector = toFunctionSelector(getAbiItem({ abi: streamPayAbi, name: "batchUpdateStreams" }));

/** Streams in batches of others that wait to be mined, as far as the endpoint tells; most public ones do not. */
export async function readPendingIds({ client, network }: Chain, own: Address): Promise<ReadonlySet<bigint>> {
  const ids = new Set<bigint>();
  try {
    const { transactions } = await client.getBlock({ blockTag: "pending", includeTransactions: true });
    for (const { to, from, input } of transactions) {
      if (to?.toLowerCase() !== network.contracts.streamPay.toLowerCase() || from.toLowerCase() === own.toLowerCase()) continue;
      if (!input.startsWith(batchSelector)) continue;
      const { args } = decodeFunctionData({ abi: streamPayAbi, data: input });
      for (const id of (args as readonly [readonly bigint[]])[0]) ids.add(id);
    }
  } catch {
    // Only a hint: the simulation decides.
  }
  return ids;
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b);
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
