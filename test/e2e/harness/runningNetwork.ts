import { readFileSync } from "node:fs";
import { connectChain } from "@clawcompute/lib/chain";
import { networkOf } from "@clawcompute/lib/config/network";

/** The network that the tests run against, from its network.json. */
export function runningNetwork() {
  const path = process.env.NETWORK_FILE;
  if (!path) throw new Error("NETWORK_FILE is not set: dashboardNetwork.ts sets it");
  const { rpcUrl, chainId } = JSON.parse(readFileSync(path, "utf8")) as { rpcUrl: string; chainId: number };
  return { rpcUrl, chainId, chain: connectChain(networkOf({ name: "local", rpcUrls: [rpcUrl] })) };
}
