"use client";
import { ExternalLink } from "lucide-react";
import type { Hash } from "viem";
import { useNetwork } from "@/web3/network.tsx";

/** A transaction in the chain's explorer; its hash alone where the chain has none. */
export function TxLink({ hash, className = "" }: { hash: Hash; className?: string }) {
  const { explorerUrl } = useNetwork();
  const short = `${hash.slice(0, 8)}…${hash.slice(-4)}`;
  if (!explorerUrl) {
    return (
      <span className={`font-mono text-xs ${className}`} title={hash}>
        {short}
      </span>
    );
  }
  return (
    <a
      className={`inline-flex items-center gap-1 font-mono text-xs underline underline-offset-4 ${className}`}
      href={`${explorerUrl}/tx/${hash}`}
      target="_blank"
      rel="noreferrer"
    >
      {short}
      <ExternalLink aria-label="in the explorer" className="size-3" />
    </a>
  );
}
