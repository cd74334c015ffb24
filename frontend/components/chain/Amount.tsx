"use client";
import { useNetwork } from "@/web3/network.tsx";
import { formatCoin } from "./formatCoin.ts";

/** Native coin with its unit; the exact figure is in the title. */
export function Amount({ raw, per, places, className = "" }: { raw: bigint; per?: "s" | "min"; places?: number; className?: string }) {
  const { nativeSymbol } = useNetwork();
  const unit = per ? `${nativeSymbol}/${per}` : nativeSymbol;
  return (
    <span className={`whitespace-nowrap tabular-nums ${className}`} title={`${raw} wei`}>
      {formatCoin(raw, places === undefined ? {} : { places })} <span className="text-[0.85em] text-soft">{unit}</span>
    </span>
  );
}
