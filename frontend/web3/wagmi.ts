import type { Network } from "@clawcompute/lib/config/network";
import { defineChain } from "viem";
import { type Config, createConfig, fallback, http } from "wagmi";
import { devWallet } from "./devWallet.ts";

/** Wallets in the browser announce themselves (EIP-6963); on a local chain the built-in one is there as well. */
export function createWagmi(network: Network): Config {
  const chain = defineChain({
    id: network.chainId,
    name: network.isLocal ? "Local network" : network.name === "bsc" ? "BNB Chain" : network.name,
    nativeCurrency: { name: network.nativeSymbol, symbol: network.nativeSymbol, decimals: 18 },
    rpcUrls: { default: { http: [...network.rpcUrls] } },
    ...(network.explorerUrl ? { blockExplorers: { default: { name: "Explorer", url: network.explorerUrl } } } : {}),
    testnet: network.isLocal,
  });
  return createConfig({
    chains: [chain],
    connectors: network.isLocal ? [devWallet(network)] : [],
    transports: { [chain.id]: fallback(network.rpcUrls.map((url) => http(url))) },
    pollingInterval: Math.max(500, network.blockTimeMs),
    ssr: true,
  });
}
