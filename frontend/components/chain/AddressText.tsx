"use client";
import type { Address } from "viem";
import { useNetwork } from "@/web3/network.tsx";
import { shortAddress } from "./untrusted.ts";

/** An account; whole in its title, and in the chain's explorer where there is one. */
export function AddressText({ address, isWhole = false }: { address: Address; isWhole?: boolean }) {
  const { explorerUrl } = useNetwork();
  const text = isWhole ? address : shortAddress(address);
  const look = `font-mono text-xs ${isWhole ? "break-all" : ""}`;
  if (!explorerUrl) {
    return (
      <span className={look} title={address}>
        {text}
      </span>
    );
  }
  return (
    <a
      className={`${look} underline underline-offset-4`}
      title={address}
      href={`${explorerUrl}/address/${address}`}
      target="_blank"
      rel="noreferrer"
    >
      {text}
    </a>
  );
}
