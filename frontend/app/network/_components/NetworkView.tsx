"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Address, zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { SourceNote } from "@/components/chain/SourceNote.tsx";
import { shortAddress } from "@/components/chain/untrusted.ts";
import { Worth } from "@/components/chain/Worth.tsx";
import { Segmented } from "@/components/ui/Segmented.tsx";
import { Select } from "@/components/ui/Select.tsx";
import { Stat, Stats } from "@/components/ui/Stat.tsx";
import { networkQuery } from "@/queries/network.ts";
import { statsQuery } from "@/queries/offers.ts";
import { useSource } from "@/queries/source.tsx";
import { AssetTable } from "./AssetTable.tsx";
import { Keepers } from "./Keepers.tsx";
import { ModelTable } from "./ModelTable.tsx";
import { VolumeCharts } from "./VolumeCharts.tsx";

const spans = [
  { value: "14", name: "14 days" },
  { value: "90", name: "90 days" },
] as const;

export function NetworkView() {
  const source = useSource();
  const { nativeSymbol } = source.chain.network;
  const { data: stats, error: statsError } = useQuery(statsQuery(source.chain));
  const { data: totals, error } = useQuery(networkQuery(source));
  const [asset, setAsset] = useState<Address>(zeroAddress);
  const [span, setSpan] = useState<(typeof spans)[number]["value"]>("14");
  const native = totals?.assets.find((one) => one.asset === zeroAddress);
  const failure = error ?? statsError;
  const held = native?.held ?? 0n;
  const paid = native?.paid ?? 0n;
  return (
    <>
      {failure && (
        <div className="mt-6">
          <ErrorNotice
            error={failure}
            title={totals ? "The chain stopped answering; this is what it last said" : "The chain does not answer"}
          />
        </div>
      )}
      <div data-testid="totals">
        <Stats className="mt-8">
          <Stat name="Providers taking work" more={stats && `of ${stats.registered} ever registered`}>
            {stats && `${stats.active}`}
          </Stat>
          <Stat name="Open streams" more={totals && `${totals.streamsEnded} of them run out`}>
            {totals && `${totals.streamsOpen}`}
          </Stat>
          <Stat name="Streams opened" more={totals && `${totals.channelsOpen} channels open`}>
            {totals && `${totals.streamsOpened}`}
          </Stat>
          <Stat name="Paid to providers" more={totals && <Worth raw={paid} />}>
            {totals && <Amount raw={paid} />}
          </Stat>
          <Stat name="Held for both sides" more={totals && <Worth raw={held} />}>
            {totals && <Amount raw={held} />}
          </Stat>
        </Stats>
      </div>
      <div className="mt-8 mb-4 flex flex-wrap items-center justify-between gap-3">
        <h2 className="font-semibold text-xl tracking-tight">Over time</h2>
        <div className="flex flex-wrap gap-2">
          {totals && totals.assets.length > 1 && (
            <Select
              aria-label="Asset"
              options={totals.assets.map(({ asset: one }) => ({
                value: one,
                name: one === zeroAddress ? nativeSymbol : `Token ${shortAddress(one)}`,
              }))}
              value={asset}
              onPick={(value) => setAsset(value as Address)}
            />
          )}
          <Segmented label="Time" options={spans} value={span} onPick={setSpan} />
        </div>
      </div>
      <VolumeCharts asset={asset} days={Number(span)} />
      <div className="mt-6 grid items-start gap-6 lg:grid-cols-2">
        <ModelTable />
        {totals && totals.assets.length > 0 && <AssetTable assets={totals.assets} />}
      </div>
      <div className="mt-6">
        <Keepers />
      </div>
      <div className="mt-6">
        <SourceNote since={totals?.since} />
      </div>
    </>
  );
}
