"use client";
import { Wallet } from "lucide-react";
import type { ReactNode } from "react";
import type { Address } from "viem";
import { useAccount, useBalance } from "wagmi";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { useNetwork } from "@/web3/network.tsx";
import { ConnectWallet } from "./ConnectWallet.tsx";

interface WalletGateProps {
  /** What the wallet is needed for, such as "to offer a model". */
  purpose: string;
  children: (account: Address) => ReactNode;
}

/** What is behind it needs a wallet; says so where there is none, it is on another chain, or it cannot pay for gas. */
export function WalletGate({ purpose, children }: WalletGateProps) {
  const { chainId, nativeSymbol } = useNetwork();
  const { address, chainId: walletChainId } = useAccount();
  const { data: balance } = useBalance({ address, chainId, query: { refetchInterval: 5000 } });
  if (!address) {
    return (
      <EmptyState icon={<Wallet aria-hidden="true" className="size-5" />} title={`Connect a wallet ${purpose}`}>
        <p className="mb-4">Nothing is sent before you have seen and confirmed it in your wallet.</p>
        <ConnectWallet label="Connect a wallet" />
      </EmptyState>
    );
  }
  return (
    <>
      {walletChainId !== chainId && (
        <div className="mb-6">
          <Notice tone="warn" title="Your wallet is on another network">
            <p className="mb-3">What you see is this page's network. Switch to it before you send anything.</p>
            <ConnectWallet />
          </Notice>
        </div>
      )}
      {walletChainId === chainId && balance?.value === 0n && (
        <div className="mb-6">
          <Notice tone="warn" title={`This wallet holds no ${nativeSymbol}`}>
            <p>Every transaction costs a little gas. Send some {nativeSymbol} to it first.</p>
          </Notice>
        </div>
      )}
      {children(address)}
    </>
  );
}
