"use client";
import type { Network } from "@clawcompute/lib/config/network";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { WagmiProvider } from "wagmi";
import { SourceProvider } from "@/queries/source.tsx";
import { ChainProvider } from "@/web3/network.tsx";
import type { PageSettings } from "@/web3/runtimeNetwork.ts";
import { createWagmi } from "@/web3/wagmi.ts";

interface ProvidersProps {
  network: Network;
  settings: PageSettings;
  children: ReactNode;
}

export function Providers({ network, settings, children }: ProvidersProps) {
  const [config] = useState(() => createWagmi(network));
  const [client] = useState(() => new QueryClient({ defaultOptions: { queries: { retry: 1, structuralSharing: false } } }));
  return (
    <WagmiProvider config={config}>
      <QueryClientProvider client={client}>
        <ChainProvider network={network}>
          <SourceProvider settings={settings}>{children}</SourceProvider>
        </ChainProvider>
      </QueryClientProvider>
    </WagmiProvider>
  );
}
