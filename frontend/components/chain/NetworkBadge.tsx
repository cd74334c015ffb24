"use client";
import { useQuery } from "@tanstack/react-query";
import { statsQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";

const names: Readonly<Record<string, string>> = { local: "Local", bsc: "BNB Chain", "bsc-testnet": "BNB testnet" };

/** Which chain, and whether it answers. */
export function NetworkBadge() {
  const chain = useChain();
  const { data, isError } = useQuery(statsQuery(chain));
  const { name, chainId } = chain.network;
  return (
    <p className="hidden items-center gap-2 text-soft text-xs md:flex">
      <span aria-hidden="true" className={`size-2 rounded-full ${isError ? "bg-bad" : data ? "bg-money" : "bg-line-strong"}`} />
      <span>
        {names[name] ?? `Chain ${chainId}`}
        <span className="tabular-nums">{isError ? ", no answer" : data ? `, block ${data.block}` : ""}</span>
      </span>
    </p>
  );
}
