"use client";
import { useWalletClient } from "wagmi";
import type { Wallet } from "@/paying/walletCall.ts";
import { useNetwork } from "@/web3/network.tsx";

/** The connected wallet, when it is on the chain of this page. */
export function useWallet(): Wallet | undefined {
  const { chainId } = useNetwork();
  const { data } = useWalletClient({ chainId });
  return data?.account && data.chain?.id === chainId ? (data as Wallet) : undefined;
}
