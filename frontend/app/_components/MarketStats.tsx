"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { statsQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";

export function MarketStats({ offers }: { offers: readonly Offer[] | undefined }) {
  const { data: stats } = useQuery(statsQuery(useChain()));
  const native = offers?.filter(({ asset }) => asset === zeroAddress);
  const cheapest = native?.reduce<bigint | undefined>(
    (least, { pricePerSecond }) => (least === undefined || pricePerSecond < least ? pricePerSecond : least),
    undefined,
  );
  const figures: readonly { name: string; value: ReactNode }[] = [
    { name: "Providers taking work", value: offers && `${offers.length}` },
    { name: "Models", value: offers && new Set(offers.map(({ model }) => model)).size },
    { name: "Cheapest", value: offers && (cheapest === undefined ? "none" : <Amount raw={cheapest * 60n} per="min" />) },
    { name: "Paid to providers", value: native && <Amount raw={native.reduce((sum, { earned }) => sum + earned, 0n)} /> },
    { name: "Streams opened", value: stats && `${stats.streams}` },
  ];
  return (
    <dl className="ruler mt-8 grid grid-cols-2 gap-x-6 gap-y-5 border-line border-b pb-6 sm:grid-cols-3 lg:grid-cols-5" data-testid="stats">
      {figures.map(({ name, value }) => (
        <div key={name} className="min-w-0">
          <dt className="text-soft text-sm">{name}</dt>
          <dd className="mt-1 truncate font-medium text-xl tabular-nums tracking-tight">
            {value ?? <Skeleton className="mt-2 h-5 w-20" />}
          </dd>
        </div>
      ))}
    </dl>
  );
}
