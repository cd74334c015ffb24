"use client";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { healthQuery } from "@/queries/health.ts";
import { offersQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";
import { arrange, type MarketView } from "./arrange.ts";
import { MarketFilter } from "./MarketFilter.tsx";
import { MarketStats } from "./MarketStats.tsx";
import { OfferList, OfferListSkeleton } from "./OfferList.tsx";

const firstView: MarketView = { search: "", serviceType: undefined, readyOnly: false, sort: "price" };

export function Market() {
  const chain = useChain();
  const { chainId, isLocal } = chain.network;
  const [view, setView] = useState(firstView);
  const { data: offers, error, isPending } = useQuery(offersQuery(chain));
  const health = useQueries({
    queries: (offers ?? []).slice(0, 100).map((offer) => healthQuery(offer, { chainId, isLocal })),
    combine: (results) => new Map(results.map(({ data }, index) => [offers?.[index]?.id, data])),
  });
  const shown = arrange(
    (offers ?? []).map((offer) => ({ offer, health: health.get(offer.id) })),
    view,
  );
  return (
    <>
      <MarketStats offers={offers} />
      <section aria-labelledby="offers" className="mt-10">
        <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
          <h2 id="offers" className="font-semibold text-xl tracking-tight">
            Providers
          </h2>
          <MarketFilter view={view} onChange={setView} />
        </div>
        {error && (
          <div className="mb-4">
            <ErrorNotice
              error={error}
              title={offers ? "The chain stopped answering; this is what it last said" : "The chain does not answer"}
            />
          </div>
        )}
        {isPending && <OfferListSkeleton />}
        {offers?.length === 0 && (
          <Notice title="Nobody is selling yet">
            <p>
              Be the first: <code className="rounded bg-sunken px-1.5 py-0.5 text-[0.9em]">npm run provider</code> puts a model on the
              market.
            </p>
          </Notice>
        )}
        {offers && offers.length > 0 && shown.length === 0 && <Notice title="No provider fits these filters" />}
        {shown.length > 0 && <OfferList rows={shown} />}
      </section>
    </>
  );
}
