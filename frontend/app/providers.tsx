"use client";
import type { Network } from "@clawcompute/lib/config/network";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { WagmiProvider } from "wagmi";
import { ChainProvider } from "@/web3/network.tsx";
import { createWagmi } from "@/web3/wagmi.ts";

export function Providers({ network, children }: { network: Network; children: ReactNode }) {
  const [config] = useState(() => createWagmi(network));
  const [client] = useState(() => new QueryClient({ defaultOptions: { queries: { retry: 1, structuralSharing: false } } }));
  return (
    <WagmiProvider config={config}>
      <QueryClientProvider client={client}>
        <ChainProvider network={network}>{children}</ChainProvider>
      </QueryClientProvider>
    </WagmiProvider>
  );
}
