"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { isAddressEqual } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { useStreamAction } from "@/hooks/useStreamAction.ts";
import { healthQuery } from "@/queries/health.ts";
import { offersQuery } from "@/queries/offers.ts";
import type { OwnStream } from "@/queries/streams.ts";
import { useChain } from "@/web3/network.tsx";

const SHOWN = 30;

/** The rest of the deposit to another provider, in one transaction: the same model first. */
export function RedirectDialog({ stream, onClose }: { stream: OwnStream; onClose: () => void }) {
  const chain = useChain();
  const { data: offers, error } = useQuery(offersQuery(chain));
  const [chosen, setChosen] = useState<number>();
  const model = offers?.find(({ id }) => id === stream.providerId)?.model;
  const others = offers
    ?.filter(({ id, asset, serviceType }) => id !== stream.providerId && isAddressEqual(asset, stream.asset) && serviceType === 0)
    .sort((a, b) => Number(b.model === model) - Number(a.model === model))
    .slice(0, SHOWN);
  const offer = others?.find(({ id }) => id === chosen) ?? others?.[0];
  const redirect = useStreamAction(async (to: Offer, payer) => {
    const { redirectByWallet } = await import("@/paying/changeStream.ts");
    const newId = await redirectByWallet(payer, stream, to);
    toast(`Stream ${newId} took over`);
    onClose();
  });
  return (
    <Dialog
      title={`Redirect stream ${stream.id}`}
      onClose={onClose}
      actions={
        <Button onClick={() => offer && redirect.mutate(offer)} disabled={!offer || redirect.isPending}>
          {redirect.isPending ? "Waiting for your wallet…" : offer ? `Redirect to provider ${offer.id}` : "Redirect"}
        </Button>
      }
    >
      <p className="text-pretty text-soft text-sm">
        The old provider gets what accrued until now. What is left opens a stream to the new one, at its price, in the same transaction.
      </p>
      {error && <ErrorNotice error={error} title="The chain does not answer" />}
      {others?.length === 0 && <Notice title="Nobody else takes this asset right now" />}
      <div className="mt-4 space-y-1" role="radiogroup" aria-label="Provider">
        {others?.map((other) => (
          <label
            key={other.id}
            className="relative flex cursor-pointer items-center gap-3 rounded-xl px-3 py-2.5 hover:bg-sunken has-checked:bg-sunken has-focus-visible:outline-2 has-focus-visible:outline-brand"
          >
            <input
              type="radio"
              name="provider"
              className="size-4 accent-brand-fill"
              checked={offer?.id === other.id}
              onChange={() => setChosen(other.id)}
            />
            <Choice offer={other} isSameModel={other.model === model} />
          </label>
        ))}
      </div>
      {offer && offer.pricePerSecond > stream.ratePerSecond && (
        <div className="mt-4">
          <Notice tone="warn" title="This provider costs more a second, so the deposit lasts shorter" />
        </div>
      )}
      {redirect.error && (
        <div className="mt-4">
          <ErrorNotice error={redirect.error} />
        </div>
      )}
    </Dialog>
  );
}

function Choice({ offer, isSameModel }: { offer: Offer; isSameModel: boolean }) {
  const { chainId, isLocal } = useChain().network;
  const { data: health } = useQuery(healthQuery(offer, { chainId, isLocal }));
  return (
    <>
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{untrusted(offer.model)}</span>
        <span className="block text-soft text-sm">
          provider {offer.id}
          {isSameModel && ", the same model"}
        </span>
      </span>
      <span className="text-right text-sm">
        <Amount raw={offer.pricePerSecond} asset={offer.asset} per="s" className="block" />
        <HealthLabel health={health} />
      </span>
    </>
  );
}
