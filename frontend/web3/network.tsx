"use client";
import type { Chain } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { createContext, type ReactNode, use, useMemo } from "react";
import { connectPage } from "./pageClient.ts";

const ChainContext = createContext<Chain | undefined>(undefined);

export function ChainProvider({ network, children }: { network: Network; children: ReactNode }) {
  const chain = useMemo(() => connectPage(network), [network]);
  return <ChainContext value={chain}>{children}</ChainContext>;
}

/** The chain with our contracts that this page was served for. */
export function useChain(): Chain {
  const chain = use(ChainContext);
  if (!chain) throw new Error("useChain outside of ChainProvider");
  return chain;
}

export const useNetwork = (): Network => useChain().network;
