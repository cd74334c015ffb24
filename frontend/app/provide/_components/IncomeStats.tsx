"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { MovingAmount } from "@/components/chain/MovingAmount.tsx";
import { Worth } from "@/components/chain/Worth.tsx";
import { Stat, Stats } from "@/components/ui/Stat.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import type { StreamEntry } from "@/queries/ledger.ts";
import type { Credit } from "@/queries/payee.ts";
import { accruedAt } from "./accrued.ts";

interface IncomeStatsProps {
  offers: readonly Offer[] | undefined;
  streams: readonly StreamEntry[] | undefined;
  credits: readonly Credit[] | undefined;
}

/** In the native coin; tokens stand in the lists below. */
export function IncomeStats({ offers, streams, credits }: IncomeStatsProps) {
  const chainTime = useChainTime();
  const native = streams?.filter(({ asset }) => asset === zeroAddress);
  const credited = credits?.filter(({ asset }) => asset === zeroAddress).reduce((sum, { amount }) => sum + amount, 0n);
  const rate = native?.reduce((sum, { ratePerSecond }) => sum + ratePerSecond, 0n);
  const earned = offers?.filter(({ asset }) => asset === zeroAddress).reduce((sum, offer) => sum + offer.earned, 0n);
  const isKnown = native && credited !== undefined && chainTime;
  return (
    <Stats>
      <Stat name="Offers taking work">{offers && `${offers.filter(({ active }) => active).length} of ${offers.length}`}</Stat>
      <Stat name="Open streams to you">{streams && `${streams.length}`}</Stat>
      <Stat name="Yours to collect">
        {isKnown && rate === 0n ? (
          <Amount raw={credited} />
        ) : isKnown ? (
          <MovingAmount
            asset={zeroAddress}
            ratePerSecond={rate ?? 0n}
            at={(now) => native.reduce((sum, stream) => sum + accruedAt(stream, chainTime(now)), credited)}
            className="text-money"
            unitClassName="text-[0.85em]"
          />
        ) : undefined}
      </Stat>
      <Stat name="Earned in all" more={earned === undefined ? undefined : <Worth raw={earned} />}>
        {earned === undefined ? undefined : <Amount raw={earned} />}
      </Stat>
    </Stats>
  );
}
