"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { type Column, Table } from "@/components/ui/Table.tsx";
import { type MarketOffer, offersQuery } from "@/queries/offers.ts";
import { useSource } from "@/queries/source.tsx";

interface Model {
  readonly name: string;
  readonly providers: number;
  /** Native coin per second; undefined where it is sold for tokens only. */
  readonly cheapest: bigint | undefined;
}

const SHOWN = 10;

const columns: Column<Model>[] = [
  {
    head: "Model",
    cell: ({ name }) => (
      <Link href={`/?model=${encodeURIComponent(name)}`} className="underline-offset-4 hover:underline">
        {untrusted(name, 32)}
      </Link>
    ),
  },
  { head: "Providers", cell: ({ providers }) => providers, isFigure: true },
  {
    head: "From",
    cell: ({ cheapest }) => (cheapest === undefined ? <span className="text-soft">tokens only</span> : <Amount raw={cheapest} per="s" />),
    isFigure: true,
  },
];

export function ModelTable() {
  const source = useSource();
  const { data: offers } = useQuery(offersQuery(source.chain, source));
  return (
    <Panel title="Models that most providers serve">
      {!offers ? (
        <Skeleton className="mt-4 h-40 w-full" />
      ) : offers.length === 0 ? (
        <div className="mt-4">
          <EmptyState title="Nobody is selling yet" />
        </div>
      ) : (
        <Table
          className="mt-2"
          caption="Models that most providers serve"
          columns={columns}
          rows={modelsOf(offers).slice(0, SHOWN)}
          keyOf={({ name }) => name}
        />
      )}
    </Panel>
  );
}

function modelsOf(offers: readonly MarketOffer[]): Model[] {
  const models = new Map<string, Model>();
  for (const { model: name, asset, pricePerSecond } of offers) {
    const known = models.get(name) ?? { name, providers: 0, cheapest: undefined };
    const isLess = asset === zeroAddress && (known.cheapest === undefined || pricePerSecond < known.cheapest);
    models.set(name, { name, providers: known.providers + 1, cheapest: isLess ? pricePerSecond : known.cheapest });
  }
  return [...models.values()].sort((a, b) => b.providers - a.providers || (a.name < b.name ? -1 : 1));
}
