"use client";
import { type Offer, registryWrites } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { serviceTypes } from "@/app/_components/serviceTypes.ts";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { ConfirmSend } from "@/components/chain/ConfirmSend.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { healthQuery } from "@/queries/health.ts";
import { useNetwork } from "@/web3/network.tsx";
import { SignerDialog } from "./SignerDialog.tsx";
import { UpdateDialog } from "./UpdateDialog.tsx";

type Asked = "update" | "drain" | "signer" | undefined;

export function OwnOffer({ offer }: { offer: Offer }) {
  const { chainId, isLocal } = useNetwork();
  const { data: health } = useQuery(healthQuery(offer, { chainId, isLocal }));
  const [asked, setAsked] = useState<Asked>();
  const { id, model, asset, pricePerSecond, serviceType, active, completions, earned, signer, endpoint } = offer;
  const name = untrusted(model);
  const close = () => setAsked(undefined);
  const done = (text: string) => () => {
    close();
    toast(text);
  };
  return (
    <article aria-label={`${name}, provider ${id}`} className="flex h-full flex-col rounded-2xl border border-line bg-surface p-5">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="truncate font-medium">
            <Link href={`/providers/${id}`} className="underline-offset-4 hover:underline">
              {name}
            </Link>
          </h2>
          <p className="mt-0.5 text-soft text-sm">
            {serviceTypes[serviceType] ?? "Other"}, #{id}
          </p>
        </div>
        <span
          className={`shrink-0 rounded-full px-2.5 py-1 font-medium text-xs ${active ? "bg-money-soft text-money" : "bg-warn-soft text-warn"}`}
        >
          {active ? "Taking work" : "Drained"}
        </span>
      </div>
      <Facts className="mt-3">
        <Fact name="Price">
          <Amount raw={pricePerSecond} asset={asset} per="s" className="font-medium" />
        </Fact>
        <Fact name="Endpoint">
          <HealthLabel health={health} />
          <span className="block truncate font-mono text-soft text-xs">{untrusted(endpoint, 60)}</span>
        </Fact>
        <Fact name="Signs receipts">{signer ? <AddressText address={signer} /> : "this wallet"}</Fact>
        <Fact name="Earned">
          <Amount raw={earned} asset={asset} />{" "}
          <span className="text-soft">
            in {String(completions)} {completions === 1n ? "payment" : "payments"}
          </span>
        </Fact>
      </Facts>
      <div className="mt-auto flex flex-wrap gap-2 pt-4">
        <Button size="s" look="quiet" onClick={() => setAsked("update")}>
          Price and endpoint
        </Button>
        <Button size="s" look="quiet" onClick={() => setAsked("signer")}>
          Signer
        </Button>
        <Button size="s" look={active ? "quiet" : "primary"} onClick={() => setAsked("drain")}>
          {active ? "Drain" : "Resume"}
        </Button>
      </div>
      {asked === "update" && <UpdateDialog offer={offer} onClose={close} onDone={done("The offer was updated")} />}
      {asked === "signer" && <SignerDialog offer={offer} onClose={close} onDone={done("The signer was changed")} />}
      {asked === "drain" && (
        <ConfirmSend
          title={active ? `Drain ${name}` : `Resume ${name}`}
          confirm={active ? "Drain" : "Resume"}
          calls={[registryWrites.updateProvider({ id, pricePerSecond, endpoint, active: !active })]}
          onClose={close}
          onDone={done(active ? "Drained: no new streams" : "Taking work again")}
        >
          <p className="text-pretty text-sm">
            {active
              ? "It leaves the market: nobody can open a new stream to it. Streams that are open go on and pay until they end, and you can resume at any time."
              : "It is on the market again, with the price and endpoint it had."}
          </p>
        </ConfirmSend>
      )}
    </article>
  );
}
