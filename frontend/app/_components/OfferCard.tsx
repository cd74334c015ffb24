"use client";
import { memo } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { shortAddress, untrusted } from "@/components/chain/untrusted.ts";
import { buttonClass } from "@/components/ui/Button.tsx";
import { PageLink } from "@/components/ui/PageLink.tsx";
import { Converted, canChat, type OfferProps, useHealth } from "./OfferRow.tsx";
import { serviceTypes } from "./serviceTypes.ts";

export const OfferCard = memo(function OfferCard({ offer, ask }: OfferProps) {
  const health = useHealth({ offer, ask });
  const { id, model, owner, pricePerSecond, serviceType, completions, earned, asset } = offer;
  const name = untrusted(model);
  return (
    <article aria-label={`${name}, provider ${id}`} className="flex h-56 flex-col rounded-2xl border border-line bg-surface p-5">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <h3 className="truncate font-medium">
            <PageLink href={`/providers/${id}`} className="underline-offset-4 hover:underline">
              {name}
            </PageLink>
          </h3>
          <p className="mt-0.5 truncate text-soft text-sm">
            {serviceTypes[serviceType] ?? "Other"}, #{id} by <span className="font-mono text-xs">{shortAddress(owner)}</span>
          </p>
        </div>
        <HealthLabel health={health} className="shrink-0 text-sm" />
      </div>
      <div className="mt-4 min-w-0">
        <Amount raw={pricePerSecond} asset={asset} per="s" className="block font-medium text-xl tracking-tight" />
        <Converted offer={offer} />
      </div>
      <div className="ruler mt-auto flex min-h-20 items-end justify-between gap-3 pt-4 pb-5">
        <p className="min-w-0 text-sm">
          {completions === 0n ? (
            <span className="text-soft">Nothing paid yet</span>
          ) : (
            <>
              <Amount raw={earned} asset={asset} className="block" />
              <span className="text-soft tabular-nums">
                {completions.toString()} {completions === 1n ? "payment" : "payments"}
              </span>
            </>
          )}
        </p>
        <PageLink
          href={canChat(offer) ? `/chat?provider=${id}` : `/providers/${id}`}
          className={buttonClass({ look: "quiet", size: "s" })}
          aria-label={`${canChat(offer) ? "Chat with" : "Look at"} ${name}, provider ${id}`}
        >
          {canChat(offer) ? "Chat" : "Look"}
        </PageLink>
      </div>
    </article>
  );
});
