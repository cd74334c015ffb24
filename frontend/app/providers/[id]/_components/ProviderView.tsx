"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { zeroAddress } from "viem";
import { useAccount } from "wagmi";
import { canChat } from "@/app/_components/OfferRow.tsx";
import { serviceTypes } from "@/app/_components/serviceTypes.ts";
import { Amount } from "@/components/chain/Amount.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { SourceNote } from "@/components/chain/SourceNote.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Worth } from "@/components/chain/Worth.tsx";
import { buttonClass } from "@/components/ui/Button.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { Stat, Stats } from "@/components/ui/Stat.tsx";
import { offerQuery } from "@/queries/offers.ts";
import { providerHistoryQuery } from "@/queries/providerHistory.ts";
import { useSource } from "@/queries/source.tsx";
import { EndpointCard } from "./EndpointCard.tsx";
import { ProviderCharts } from "./ProviderCharts.tsx";
import { TermsCard } from "./TermsCard.tsx";

export function ProviderView({ id }: { id: number }) {
  const source = useSource();
  const { address } = useAccount();
  const { data: offer, error } = useQuery(offerQuery(source.chain, id));
  const { data: history, error: historyError } = useQuery({ ...providerHistoryQuery(source, id), enabled: offer !== undefined });
  if (error && !offer) return <ErrorNotice error={error} title={`Provider ${id} cannot be shown`} />;
  if (!offer) return <ProviderSkeleton />;
  const { model, owner, pricePerSecond, serviceType, active, completions, earned, asset } = offer;
  const isNative = asset === zeroAddress;
  const isMine = address?.toLowerCase() === owner.toLowerCase();
  return (
    <>
      <Link href="/" className="text-soft text-sm underline-offset-4 hover:underline">
        All providers
      </Link>
      <div className="mt-3 flex flex-wrap items-end justify-between gap-4">
        <div className="min-w-0">
          <h1 className="break-words font-semibold text-3xl tracking-tight">{untrusted(model)}</h1>
          <p className="mt-1 text-soft">
            Provider {id}, {serviceTypes[serviceType] ?? "other"} service{isMine && ", yours"}
          </p>
        </div>
        <div className="flex gap-2">
          {isMine && (
            <Link href="/provide" className={buttonClass({ look: "quiet" })}>
              Manage
            </Link>
          )}
          {active && canChat(offer) && (
            <Link href={`/chat?provider=${id}`} className={buttonClass()}>
              Chat with it
            </Link>
          )}
        </div>
      </div>
      {error && (
        <div className="mt-6">
          <ErrorNotice error={error} title="The chain stopped answering; this is what it last said" />
        </div>
      )}
      {!active && (
        <div className="mt-6">
          <Notice tone="warn" title="This provider has taken its offer back and takes no new streams" />
        </div>
      )}
      <Stats className="mt-8">
        <Stat name="Price" more={isNative && <Worth raw={pricePerSecond} per="s" />}>
          <Amount raw={pricePerSecond} asset={asset} per="s" />
        </Stat>
        <Stat name="For a minute" more={isNative && <Worth raw={pricePerSecond * 60n} per="min" />}>
          <Amount raw={pricePerSecond * 60n} asset={asset} per="min" />
        </Stat>
        <Stat name="For an hour" more={isNative && <Worth raw={pricePerSecond * 3600n} per="h" />}>
          <Amount raw={pricePerSecond * 3600n} asset={asset} per="h" />
        </Stat>
        <Stat name="Payments received">{String(completions)}</Stat>
        <Stat name="Earned here" more={isNative && <Worth raw={earned} />}>
          <Amount raw={earned} asset={asset} />
        </Stat>
      </Stats>
      <div className="mt-8 grid gap-6 lg:grid-cols-2">
        <EndpointCard offer={offer} uptime={history?.uptime} />
        <TermsCard offer={offer} />
      </div>
      {historyError && !history && (
        <div className="mt-6">
          <ErrorNotice error={historyError} title="Its history cannot be read just now" />
        </div>
      )}
      {history && <ProviderCharts offer={offer} history={history} />}
      <div className="mt-6">
        <SourceNote />
      </div>
    </>
  );
}

function ProviderSkeleton() {
  return (
    <div role="status" aria-label="Reading the offer from the chain" className="space-y-6">
      <Skeleton className="h-10 w-64" />
      <Skeleton className="h-20 w-full" />
      <div className="grid gap-6 lg:grid-cols-2">
        <Skeleton className="h-64 rounded-2xl" />
        <Skeleton className="h-64 rounded-2xl" />
      </div>
    </div>
  );
}
