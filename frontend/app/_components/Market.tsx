"use client";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Store } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Button, buttonClass } from "@/components/ui/Button.tsx";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { healthQuery } from "@/queries/health.ts";
import { offersQuery } from "@/queries/offers.ts";
import { useSource } from "@/queries/source.tsx";
import { arrange, withTerms } from "./arrange.ts";
import { MarketFilter } from "./MarketFilter.tsx";
import { MarketStats } from "./MarketStats.tsx";
import { addressOf, type MarketView, wholeMarket } from "./marketView.ts";
import { OfferListSkeleton } from "./OfferListSkeleton.tsx";

// Loads while the offers are read.
const OfferList = dynamic(() => import("./OfferList.tsx").then((made) => made.OfferList), { loading: OfferListSkeleton, ssr: false });

/** So many endpoints are asked at once where the order or the choice depends on their answers; else those in sight. */
const MOST_ASKED = 100;

export function Market({ firstView }: { firstView: MarketView }) {
  const source = useSource();
  const { chain } = source;
  const { chainId, isLocal } = chain.network;
  const [view, setView] = useState(firstView);
  const wanted = useDeferredValue(view);
  const { data, error } = useQuery(offersQuery(chain, source));
  // Thousands of offers, or the first ones on a phone, are drawn in slices: what somebody types or touches meanwhile goes first.
  const offers = useDeferredValue(data);
  const fitting = useMemo(() => withTerms(offers ?? [], wanted), [offers, wanted]);
  const asked = wanted.readyOnly || wanted.sort === "latency" ? fitting.slice(0, MOST_ASKED) : [];
  const health = useQueries({
    queries: asked.map((offer) => healthQuery(offer, { chainId, isLocal })),
    combine: (results) => new Map(results.map(({ data }, index) => [asked[index]?.id, data])),
  });
  const shown = arrange(fitting, wanted, ({ id }) => health.get(id));
  useEffect(() => history.replaceState(history.state, "", `${location.pathname}${addressOf(wanted)}`), [wanted]);
  return (
    <>
      <MarketStats offers={offers} />
      <section aria-labelledby="offers" className="mt-10">
        <div className="mb-4 flex flex-wrap items-baseline justify-between gap-x-3">
          <h2 id="offers" className="font-semibold text-xl tracking-tight">
            Providers
          </h2>
          <p role="status" className="text-soft text-sm tabular-nums">
            {offers && (shown.length === offers.length ? `${offers.length} on offer` : `${shown.length} of ${offers.length}`)}
          </p>
        </div>
        <MarketFilter view={view} offers={offers} onChange={setView} />
        {error && (
          <div className="mb-4">
            <ErrorNotice
              error={error}
              title={offers ? "The chain stopped answering; this is what it last said" : "The chain does not answer"}
            />
          </div>
        )}
        {!offers && !error && <OfferListSkeleton />}
        {offers?.length === 0 && (
          <EmptyState icon={<Store className="size-5" aria-hidden="true" />} title="Nobody is selling yet">
            <p>
              Be the first: <code className="rounded bg-sunken px-1.5 py-0.5 text-[0.9em] text-ink">npm run provider</code> puts a model on
              the market, and the provider console lists an endpoint that you run already.
            </p>
            <Link href="/provide" className={`${buttonClass({ look: "quiet", size: "s" })} mt-4`}>
              Offer a model
            </Link>
          </EmptyState>
        )}
        {offers && offers.length > 0 && shown.length === 0 && (
          <EmptyState title="No provider fits these filters">
            <Button look="quiet" size="s" className="mt-2" onClick={() => setView({ ...wholeMarket, layout: view.layout })}>
              Show every provider
            </Button>
          </EmptyState>
        )}
        {shown.length > 0 && <OfferList offers={shown} layout={view.layout} />}
      </section>
    </>
  );
}
