"use client";
import { useSource } from "@/queries/source.tsx";
import { formatCoin } from "./formatCoin.ts";

/** Native coin in the other money that this server was given a price for; nothing where it was not. */
export function Worth({ raw, per, className = "" }: { raw: bigint; per?: string; className?: string }) {
  const { coinPrice } = useSource();
  if (!coinPrice) return null;
  const micros = (raw * coinPrice.micros) / 10n ** 18n;
  return (
    <span className={`whitespace-nowrap text-soft tabular-nums ${className}`} title="At the price of the coin that this page was given">
      ≈ {formatCoin(micros, { decimals: 6, digits: 3 })} {per ? `${coinPrice.currency}/${per}` : coinPrice.currency}
    </span>
  );
}
