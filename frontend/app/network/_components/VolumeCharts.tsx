"use client";
import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import { amountParts } from "@/components/chain/Amount.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Chart } from "@/components/ui/Chart.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { daily } from "@/queries/daily.ts";
import { daysQuery } from "@/queries/network.ts";
import { useSource } from "@/queries/source.tsx";
import { tokenQuery } from "@/queries/tokens.ts";

const sheet = "rounded-2xl border border-line bg-surface p-5";

export function VolumeCharts({ asset, days: count }: { asset: Address; days: number }) {
  const source = useSource();
  const { data, error } = useQuery(daysQuery(source, count));
  const { data: token } = useQuery(tokenQuery(source.chain, asset));
  if (error && !data) return <ErrorNotice error={error} title="The history cannot be read just now" />;
  if (!data) {
    return (
      <div role="status" aria-label="Reading the history" className="grid gap-6 lg:grid-cols-2">
        <Skeleton className="h-64 rounded-2xl" />
        <Skeleton className="h-64 rounded-2xl" />
      </div>
    );
  }
  const own = data.days.filter((day) => day.asset.toLowerCase() === asset.toLowerCase());
  const format = (value: bigint) => {
    const { figure, unit } = amountParts(value, token);
    return `${figure} ${unit}`;
  };
  const opened = own.reduce((sum, day) => sum + day.streamsOpened, 0);
  const paid = own.reduce((sum, day) => sum + day.paid, 0n);
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <div className={sheet}>
        <Chart
          title="Paid to providers, by day"
          summary={`Bars for the last ${count} days. Together ${format(paid)}.`}
          over="Day (UTC)"
          points={daily(own, data.today, count, (day) => day.paid)}
          format={format}
        />
      </div>
      <div className={sheet}>
        <Chart
          title="Streams opened, by day"
          summary={`Bars for the last ${count} days. Together ${opened} streams.`}
          over="Day (UTC)"
          tone="brand"
          points={daily(own, data.today, count, (day) => BigInt(day.streamsOpened))}
          format={(value) => `${value} ${value === 1n ? "stream" : "streams"}`}
        />
      </div>
    </div>
  );
}
