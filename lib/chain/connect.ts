import { createPublicClient, defineChain, fallback, http, type PublicClient } from "viem";
import type { ChainParameters, Contracts, Network } from "../config/network.ts";
import { AppError } from "../errors/index.ts";
import { reading } from "./reading.ts";
import { decodeRevert } from "./reverts.ts";

/** One connection to a chain with our contracts, shared by everything in a process. */
export interface Chain {
  readonly network: Network;
  readonly client: PublicClient;
  /** One client for each RPC URL, without retries: for questions on which endpoints must agree, and for sending. */
  readonly endpoints: readonly PublicClient[];
}

export interface ConnectOptions {
  /** Limit of one RPC request. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Opens no connection by itself. Reads fall back from one RPC URL to the next, in the order of the configuration. */
export function connectChain(network: Network, options: ConnectOptions = {}): Chain {
  return { network, ...connect(network, options) };
}

/** The same for a chain that does not have our contracts yet. */
export function connect(parameters: ChainParameters, { timeoutMs: timeout = 10_000 }: ConnectOptions = {}): Omit<Chain, "network"> {
  const chain = defineChain({
    id: parameters.chainId,
    name: parameters.name,
    nativeCurrency: { name: parameters.nativeSymbol, symbol: parameters.nativeSymbol, decimals: 18 },
    rpcUrls: { default: { http: [...parameters.rpcUrls] } },
  });
  const shared = { chain, cacheTime: 0, pollingInterval: Math.max(50, Math.floor(parameters.blockTimeMs / 2)) };
  const batch = { batchSize: 50, wait: 0 };
  // The answers of one batch come as one body.
  const maxResponseBodySize = 64_000_000;
  const reading = parameters.rpcUrls.map((url) => http(url, { batch, retryCount: 1, retryDelay: 100, timeout, maxResponseBodySize }));
  const client = createPublicClient({ ...shared, transport: fallback(reading, { retryCount: 1, retryDelay: 150 }) });
  const endpoints = parameters.rpcUrls.map((url) =>
    createPublicClient({ ...shared, transport: http(url, { retryCount: 0, timeout, maxResponseBodySize }) }),
  );
  return { client: client as PublicClient, endpoints: endpoints as PublicClient[] };
}

/**
 * Refuses a chain that cannot work: CHAIN_UNAVAILABLE when no endpoint answers, CHAIN_MISMATCH when any endpoint answers for
 * another chain, CONTRACT_MISSING when an address holds no code.
 */
export async function assertChain(chain: Chain): Promise<void> {
  const { network } = chain;
  const answers = await Promise.allSettled(chain.endpoints.map((endpoint) => endpoint.getChainId()));
  for (const answer of answers) {
    if (answer.status === "fulfilled" && answer.value !== network.chainId) {
      throw new AppError("CHAIN_MISMATCH", `An RPC endpoint answers for chain ${answer.value}, not ${network.chainId}.`, {
        facts: { expected: network.chainId, found: answer.value },
      });
    }
  }
  const failed = answers.find((answer) => answer.status === "rejected");
  if (failed && answers.every((answer) => answer.status === "rejected")) throw decodeRevert(failed.reason);
  for (const contract of Object.keys(network.contracts) as (keyof Contracts)[]) {
    const address = network.contracts[contract];
    const code = await reading(() => chain.client.getCode({ address }));
    if (code === undefined || code === "0x") {
      throw new AppError("CONTRACT_MISSING", `There is no code at ${address}, where ${contract} should be on chain ${network.chainId}.`, {
        facts: { contract, address, chainId: network.chainId },
      });
    }
  }
}
