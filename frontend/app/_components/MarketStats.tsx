"use client";
import { useQuery } from "@tanstack/react-query";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { Worth } from "@/components/chain/Worth.tsx";
import { Stat, Stats } from "@/components/ui/Stat.tsx";
import { type MarketOffer, statsQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";

export function MarketStats({ offers }: { offers: readonly MarketOffer[] | undefined }) {
  const { data: stats } = useQuery(statsQuery(useChain()));
  const native = offers?.filter(({ asset }) => asset === zeroAddress);
  const cheapest = native?.reduce<bigint | undefined>(
    (least, { pricePerSecond }) => (least === undefined || pricePerSecond < least ? pricePerSecond : least),
    undefined,
  );
  const paid = native?.reduce((sum, { earned }) => sum + earned, 0n);
  return (
    <div data-testid="stats">
      <Stats className="mt-8">
        <Stat name="Providers taking work">{offers && `${offers.length}`}</Stat>
        <Stat name="Models">{offers && new Set(offers.map(({ model }) => model)).size}</Stat>
        <Stat name="Cheapest" more={cheapest === undefined ? undefined : <Worth raw={cheapest * 60n} per="min" />}>
          {offers && (cheapest === undefined ? "none" : <Amount raw={cheapest * 60n} per="min" />)}
        </Stat>
        <Stat name="Paid to them" more={paid === undefined ? undefined : <Worth raw={paid} />}>
          {paid === undefined ? undefined : <Amount raw={paid} />}
        </Stat>
        <Stat name="Streams opened">{stats && `${stats.streams}`}</Stat>
      </Stats>
    </div>
  );
}
