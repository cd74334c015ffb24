"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { amountParts } from "@/components/chain/Amount.tsx";
import { atText, dayText } from "@/components/chain/time.ts";
import { Chart, type Point } from "@/components/ui/Chart.tsx";
import { daily } from "@/queries/daily.ts";
import { dayOf } from "@/queries/ledger.ts";
import type { PriceChange, ProviderHistory } from "@/queries/providerHistory.ts";
import { tokenQuery } from "@/queries/tokens.ts";
import { useChain } from "@/web3/network.tsx";

const DAYS = 30;
const sheet = "rounded-2xl border border-line bg-surface p-5";

/** What it was paid day by day, and how its price went. */
export function ProviderCharts({ offer, history }: { offer: Offer; history: ProviderHistory }) {
  const { data: token } = useQuery(tokenQuery(useChain(), offer.asset));
  const { today, days, prices } = history;
  const own = days.filter(({ asset }) => asset.toLowerCase() === offer.asset.toLowerCase());
  const format = (value: bigint) => {
    const { figure, unit } = amountParts(value, token);
    return `${figure} ${unit}`;
  };
  const volume = daily(own, today, DAYS, ({ paid }) => paid);
  const payments = own.reduce((sum, day) => sum + day.payments, 0);
  const sum = own.reduce((total, { paid }) => total + paid, 0n);
  const steps = pricesByDay(prices, today);
  return (
    <div className="mt-6 grid gap-6 lg:grid-cols-2">
      <div className={sheet}>
        <Chart
          title="Paid by streams, by day"
          summary={`Bars for the last ${DAYS} days. Together ${format(sum)} in ${payments} payments.`}
          over="Day (UTC)"
          points={volume}
          format={format}
        />
      </div>
      <div className={sheet}>
        <Chart
          title="Price per second"
          summary={`A line of the price at the end of each day since ${prices.at(-1) ? atText(prices.at(-1)?.at ?? 0) : "the beginning"}; it changed ${Math.max(0, prices.length - 1)} times.`}
          over="Day (UTC)"
          kind="steps"
          tone="brand"
          points={steps}
          format={(value) => `${format(value)}/s`}
        />
      </div>
    </div>
  );
}

/** The price at the end of each of the last days on which there was one. */
function pricesByDay(prices: readonly PriceChange[], today: number): Point[] {
  const points: Point[] = [];
  for (let day = today - DAYS + 1; day <= today; day += 1) {
    const last = prices.find(({ at }) => dayOf(at) <= day);
    if (last) points.push({ label: dayText(day), value: last.pricePerSecond });
  }
  return points;
}
