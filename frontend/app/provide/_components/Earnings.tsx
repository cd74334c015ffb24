"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { zeroAddress } from "viem";
import { amountParts } from "@/components/chain/Amount.tsx";
import { shortAddress } from "@/components/chain/untrusted.ts";
import { Chart } from "@/components/ui/Chart.tsx";
import { Select } from "@/components/ui/Select.tsx";
import { daily } from "@/queries/daily.ts";
import { providerHistoryQuery } from "@/queries/providerHistory.ts";
import { useSource } from "@/queries/source.tsx";
import { tokenQuery } from "@/queries/tokens.ts";

const DAYS = 30;
/** More offers than this are summed up on their own pages. */
const MOST_OFFERS = 20;

/** What the wallet's offers were paid day by day, one asset at a time. */
export function Earnings({ offers }: { offers: readonly Offer[] }) {
  const source = useSource();
  // The coin, whose address is zero, comes first.
  const assets = [...new Set(offers.map(({ asset }) => asset))].sort();
  const [picked, setPicked] = useState<string>();
  const asset = assets.find((one) => one === picked) ?? assets[0];
  const shown = offers.filter((offer) => offer.asset === asset).slice(0, MOST_OFFERS);
  const histories = useQueries({ queries: shown.map(({ id }) => providerHistoryQuery(source, id)) });
  const { data: token } = useQuery({ ...tokenQuery(source.chain, asset ?? "0x"), enabled: asset !== undefined });
  if (!asset) return null;
  const today = histories.find(({ data }) => data)?.data?.today;
  if (today === undefined) return null;
  const days = histories.flatMap(({ data }) => data?.days.filter((day) => day.asset.toLowerCase() === asset.toLowerCase()) ?? []);
  const format = (value: bigint) => {
    const { figure, unit } = amountParts(value, token);
    return `${figure} ${unit}`;
  };
  const sum = days.reduce((total, { paid }) => total + paid, 0n);
  return (
    <div className="rounded-2xl border border-line bg-surface p-5">
      <Chart
        title="Earned by day"
        summary={`Bars for the last ${DAYS} days. Together ${format(sum)}.`}
        over="Day (UTC)"
        points={daily(days, today, DAYS, ({ paid }) => paid)}
        format={format}
        side={
          assets.length > 1 && (
            <Select
              aria-label="Asset"
              options={assets.map((value) => ({
                value,
                name: value === zeroAddress ? source.chain.network.nativeSymbol : shortAddress(value),
              }))}
              value={asset}
              onPick={setPicked}
            />
          )
        }
      />
    </div>
  );
}
