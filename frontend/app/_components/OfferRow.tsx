"use client";
import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { shortAddress, untrusted } from "@/components/chain/untrusted.ts";
import { Worth } from "@/components/chain/Worth.tsx";
import { buttonClass } from "@/components/ui/Button.tsx";
import { PageLink } from "@/components/ui/PageLink.tsx";
import { healthQuery } from "@/queries/health.ts";
import type { MarketOffer } from "@/queries/offers.ts";
import { useNetwork } from "@/web3/network.tsx";
import { rowColumns } from "./rowColumns.ts";
import { serviceTypes } from "./serviceTypes.ts";

export interface OfferProps {
  offer: MarketOffer;
  /** False while the list rushes by: endpoints are asked where somebody stops to look. */
  ask: boolean;
}

/** What this browser sees of the offer's endpoint. */
export function useHealth({ offer, ask }: OfferProps) {
  const { chainId, isLocal } = useNetwork();
  return useQuery({ ...healthQuery(offer, { chainId, isLocal }), enabled: ask }).data;
}

/** Text services can be tried from a page. */
export const canChat = ({ serviceType }: MarketOffer) => serviceType === 0;

export const OfferRow = memo(function OfferRow({ offer, ask }: OfferProps) {
  const health = useHealth({ offer, ask });
  const { id, model, owner, pricePerSecond, serviceType, completions, earned, asset } = offer;
  const name = untrusted(model);
  return (
    <article
      aria-label={`${name}, provider ${id}`}
      className={`grid min-h-[4.8rem] grid-cols-2 gap-x-4 gap-y-3 px-4 py-3.5 hover:bg-sunken/50 sm:px-5 ${rowColumns}`}
    >
      <div className="col-span-2 min-w-0 sm:col-span-1">
        <h3 className="truncate font-medium">
          <PageLink href={`/providers/${id}`} className="underline-offset-4 hover:underline">
            {name}
          </PageLink>
        </h3>
        <p className="mt-0.5 truncate text-soft text-sm">
          {serviceTypes[serviceType] ?? "Other"}, #{id} by <span className="font-mono text-xs">{shortAddress(owner)}</span>
        </p>
      </div>
      <div className="min-w-0">
        <Amount raw={pricePerSecond} asset={asset} per="s" className="block font-medium" />
        <Converted offer={offer} />
      </div>
      <HealthLabel health={health} className="self-start text-sm sm:self-center" />
      <p className="min-w-0 text-sm">
        {completions === 0n ? (
          <span className="text-soft">Nothing yet</span>
        ) : (
          <>
            <Amount raw={earned} asset={asset} className="block" />
            <span className="text-soft tabular-nums">
              {completions.toString()} {completions === 1n ? "payment" : "payments"}
            </span>
          </>
        )}
      </p>
      {canChat(offer) ? (
        <PageLink
          href={`/chat?provider=${id}`}
          className={`${buttonClass({ look: "quiet", size: "s" })} justify-self-end sm:justify-self-auto`}
          aria-label={`Chat with ${name}, provider ${id}`}
        >
          Chat
        </PageLink>
      ) : (
        <PageLink
          href={`/providers/${id}`}
          className={`${buttonClass({ look: "quiet", size: "s" })} justify-self-end sm:justify-self-auto`}
          aria-label={`Look at ${name}, provider ${id}`}
        >
          Look
        </PageLink>
      )}
    </article>
  );
});

/** The price for an hour, and what that is elsewhere where a rate was set. */
export function Converted({ offer: { pricePerSecond, asset } }: { offer: MarketOffer }) {
  const { nativeSymbol } = useNetwork();
  return (
    <p
      className="mt-0.5 truncate text-soft text-sm"
      title={`Converted from ${asset === zeroAddress ? nativeSymbol : "the token"} per second`}
    >
      <Amount raw={pricePerSecond * 3600n} asset={asset} per="h" />
      {asset === zeroAddress && <Worth raw={pricePerSecond * 3600n} per="h" />}
    </p>
  );
}
