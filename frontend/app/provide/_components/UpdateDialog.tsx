"use client";
import { type Offer, registryWrites } from "@clawcompute/lib/chain";
import { formatAmount } from "@clawcompute/lib/money";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { ConfirmSend } from "@/components/chain/ConfirmSend.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { Field } from "@/components/ui/Field.tsx";
import { tokenQuery } from "@/queries/tokens.ts";
import { useChain } from "@/web3/network.tsx";
import { faultOfEndpoint, priceFrom } from "./offerTerms.ts";

interface OfferDialogProps {
  offer: Offer;
  onClose: () => void;
  onDone: () => void;
}

/** First what shall change, then the last look. */
export function UpdateDialog({ offer, onClose, onDone }: OfferDialogProps) {
  const chain = useChain();
  const { data: token } = useQuery(tokenQuery(chain, offer.asset));
  const { id, asset, model, active } = offer;
  const decimals = token?.decimals ?? 0;
  const [written, setWritten] = useState<string>();
  const [endpoint, setEndpoint] = useState(offer.endpoint);
  const [isReviewed, setReviewed] = useState(false);
  const price = priceFrom(written ?? formatAmount(offer.pricePerSecond, decimals), decimals);
  const endpointFault = faultOfEndpoint(endpoint, chain.network.isLocal);
  const isSame = "raw" in price && price.raw === offer.pricePerSecond && endpoint === offer.endpoint;
  const title = `Change ${untrusted(model)}`;
  if (isReviewed && "raw" in price) {
    return (
      <ConfirmSend
        title={title}
        confirm="Change it"
        calls={[registryWrites.updateProvider({ id, pricePerSecond: price.raw, endpoint, active })]}
        onClose={onClose}
        onDone={onDone}
      >
        <Facts>
          <Fact name="Price until now">
            <Amount raw={offer.pricePerSecond} asset={asset} per="s" />
          </Fact>
          <Fact name="New price">
            <Amount raw={price.raw} asset={asset} per="s" className="font-medium" />
          </Fact>
          <Fact name="Endpoint">
            <span className="break-all font-mono text-xs">{untrusted(endpoint, 256)}</span>
          </Fact>
        </Facts>
        <p className="mt-2 text-pretty text-soft text-sm">Streams that are open keep their price; only new ones pay the new one.</p>
      </ConfirmSend>
    );
  }
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            Not now
          </Button>
          <Button onClick={() => setReviewed(true)} disabled={!("raw" in price) || endpointFault !== undefined || isSame || !token}>
            Review
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        <Field
          label="Price"
          inputMode="decimal"
          autoComplete="off"
          value={written ?? formatAmount(offer.pricePerSecond, decimals)}
          onChange={({ target }) => setWritten(target.value)}
          after={`${token?.symbol ?? "…"}/s`}
          error={"fault" in price ? price.fault : undefined}
        />
        <Field
          label="Endpoint"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          value={endpoint}
          onChange={({ target }) => setEndpoint(target.value.trim())}
          error={endpointFault}
        />
      </div>
    </Dialog>
  );
}
