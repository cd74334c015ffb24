import type { Chain } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { type Client, createClient, defineChain, fallback, http, type PublicActions, type PublicClient } from "viem";
import {
  call,
  estimateGas,
  estimateMaxPriorityFeePerGas,
  getBalance,
  getBlock,
  getBlockNumber,
  getChainId,
  getCode,
  getGasPrice,
  getLogs,
  getTransaction,
  getTransactionCount,
  getTransactionReceipt,
  readContract,
  waitForTransactionReceipt,
} from "viem/actions";

/** What pages, and lib/chain for them, ask of a chain. Viem's whole client adds signature checks, names and filters: a fifth of the first load. */
export const pageActions = (client: Client) =>
  ({
    call: (args) => call(client, args),
    estimateGas: (args) => estimateGas(client, args as never),
    estimateMaxPriorityFeePerGas: (args) => estimateMaxPriorityFeePerGas(client as never, args as never),
    getBalance: (args) => getBalance(client, args),
    getBlock: (args) => getBlock(client, args),
    getBlockNumber: (args) => getBlockNumber(client, args),
    getChainId: () => getChainId(client),
    getCode: (args) => getCode(client, args),
    getGasPrice: () => getGasPrice(client),
    getLogs: (args) => getLogs(client, args),
    getTransaction: (args) => getTransaction(client, args),
    getTransactionCount: (args) => getTransactionCount(client, args),
    getTransactionReceipt: (args) => getTransactionReceipt(client, args),
    readContract: (args) => readContract(client, args),
    waitForTransactionReceipt: (args) => waitForTransactionReceipt(client, args),
  }) as Partial<PublicActions>;

const TIMEOUT_MS = 10_000;

/** The chain as pages see it: reads fall back from one RPC URL to the next. Opens no connection by itself. */
export function connectPage(network: Network): Chain {
  const { chainId: id, name, nativeSymbol: symbol, rpcUrls, blockTimeMs } = network;
  const nativeCurrency = { name: symbol, symbol, decimals: 18 };
  const chain = defineChain({ id, name, nativeCurrency, rpcUrls: { default: { http: [...rpcUrls] } } });
  const shared = { chain, cacheTime: 0, pollingInterval: Math.max(50, Math.floor(blockTimeMs / 2)) };
  const connectTo = (transport: ReturnType<typeof http | typeof fallback>) =>
    createClient({ ...shared, transport }).extend(pageActions as never) as unknown as PublicClient;
  const batch = { batchSize: 50, wait: 0 };
  const reading = rpcUrls.map((url) => http(url, { batch, retryCount: 1, retryDelay: 100, timeout: TIMEOUT_MS }));
  return {
    network,
    client: connectTo(fallback(reading, { retryCount: 1, retryDelay: 150 })),
    endpoints: rpcUrls.map((url) => connectTo(http(url, { retryCount: 0, timeout: TIMEOUT_MS }))),
  };
}
