"use client";
import { worstCaseLoss } from "@clawcompute/lib/money";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode } from "react";
import { zeroAddress } from "viem";
import { serviceTypes } from "@/app/_components/serviceTypes.ts";
import { Amount } from "@/components/chain/Amount.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { buttonClass } from "@/components/ui/Button.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { healthQuery } from "@/queries/health.ts";
import { offerQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";

const FIRST_TOKEN_MS = 30_000;

export function ProviderView({ id }: { id: number }) {
  const chain = useChain();
  const { chainId, isLocal, blockTimeMs, confirmations } = chain.network;
  const { data: offer, error } = useQuery(offerQuery(chain, id));
  const { data: health } = useQuery(healthQuery(offer, { chainId, isLocal }));
  if (error && !offer) return <ErrorNotice error={error} title={`Provider ${id} cannot be shown`} />;
  if (!offer) return <Skeleton className="h-64 w-full rounded-2xl" />;
  const { model, owner, signer, pricePerSecond, serviceType, active, registeredAt, completions, earned, asset, endpoint } = offer;
  const isNative = asset === zeroAddress;
  const amount = (raw: bigint, per?: "s" | "min") => (isNative ? <Amount raw={raw} {...(per ? { per } : {})} /> : `${raw} raw units`);
  return (
    <>
      <Link href="/" className="text-soft text-sm underline-offset-4 hover:underline">
        All providers
      </Link>
      <div className="mt-3 flex flex-wrap items-end justify-between gap-4">
        <div className="min-w-0">
          <h1 className="break-words font-semibold text-3xl tracking-tight">{untrusted(model)}</h1>
          <p className="mt-1 text-soft">
            Provider {id}, {serviceTypes[serviceType] ?? "other"} service
          </p>
        </div>
        {active && isNative && serviceType === 0 && (
          <Link href={`/chat?provider=${id}`} className={buttonClass()}>
            Chat with it
          </Link>
        )}
      </div>
      {!active && (
        <div className="mt-6">
          <Notice tone="warn" title="This provider has taken its offer back and takes no new streams" />
        </div>
      )}
      <dl className="ruler mt-8 grid grid-cols-2 gap-x-6 gap-y-5 border-line border-b pb-6 lg:grid-cols-4">
        <Figure name="Price">{amount(pricePerSecond, "s")}</Figure>
        <Figure name="For a minute">{amount(pricePerSecond * 60n, "min")}</Figure>
        <Figure name="Payments received">{String(completions)}</Figure>
        <Figure name="Earned here">{amount(earned)}</Figure>
      </dl>
      <div className="mt-8 grid gap-6 lg:grid-cols-2">
        <Card title="From where you are">
          <Row name="Endpoint">
            <HealthLabel health={health} />
          </Row>
          <Row name="Free places">{health && "free" in health ? `${health.free} of ${health.capacity}` : "not known"}</Row>
          <Row name="Address">
            <span className="break-all font-mono text-xs">{untrusted(endpoint, 256)}</span>
          </Row>
          <Row name="Owner">
            <span className="break-all font-mono text-xs">{owner}</span>
          </Row>
          {signer && (
            <Row name="Signs receipts">
              <span className="break-all font-mono text-xs">{signer}</span>
            </Row>
          )}
          <Row name="Registered">{new Date(registeredAt * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}</Row>
        </Card>
        <Card title="What you agree to">
          <Row name="Most you can lose">{amount(worstCaseLoss(pricePerSecond, FIRST_TOKEN_MS, blockTimeMs * (confirmations + 1)))}</Row>
          <p className="py-2.5 text-pretty text-soft">
            That is a provider which takes the stream and never answers, when you end it after 30 seconds. A raised price never touches a
            stream that is open. Name and address above are the owner's own words; past payments can be made by the owner to itself, so
            trust your own experience more.
          </p>
        </Card>
      </div>
    </>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-soft text-sm">{name}</dt>
      <dd className="mt-1 truncate font-medium text-xl tabular-nums tracking-tight">{children}</dd>
    </div>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="rounded-2xl border border-line bg-surface p-5">
      <h2 className="font-medium">{title}</h2>
      <div className="mt-2 divide-y divide-line text-sm">{children}</div>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-6 py-2.5">
      <span className="shrink-0 text-soft">{name}</span>
      <span className="min-w-0 text-right tabular-nums">{children}</span>
    </div>
  );
}
