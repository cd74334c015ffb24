"use client";
import type { Network } from "@clawcompute/lib/config/network";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { WagmiProvider } from "wagmi";
import { Toaster } from "@/components/ui/Toast.tsx";
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
  const { walletConnectProjectId } = settings;
  useEffect(() => {
    // Its code is loaded where it is connected already; the wallet chooser loads it otherwise.
    if (walletConnectProjectId === undefined || !localStorage.getItem("wagmi.recentConnectorId")?.includes("walletConnect")) return;
    import("@/web3/walletConnect.ts").then(({ addWalletConnect }) => addWalletConnect(config, walletConnectProjectId, { reconnect: true }));
  }, [config, walletConnectProjectId]);
  return (
    <WagmiProvider config={config}>
      <QueryClientProvider client={client}>
        <ChainProvider network={network}>
          <SourceProvider settings={settings}>
            {children}
            <Toaster />
          </SourceProvider>
        </ChainProvider>
      </QueryClientProvider>
    </WagmiProvider>
  );
}
