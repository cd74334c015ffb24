"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { Store } from "lucide-react";
import { Button } from "@/components/ui/Button.tsx";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { OwnOffer } from "./OwnOffer.tsx";

export function OwnOffers({ offers, onNew }: { offers: readonly Offer[]; onNew: () => void }) {
  if (offers.length === 0) {
    return (
      <EmptyState icon={<Store aria-hidden="true" className="size-5" />} title="This wallet offers nothing yet">
        <Button className="mt-2" size="s" onClick={onNew}>
          Offer a model
        </Button>
      </EmptyState>
    );
  }
  return (
    <ul className="grid gap-4 lg:grid-cols-2">
      {offers.map((offer) => (
        <li key={offer.id}>
          <OwnOffer offer={offer} />
        </li>
      ))}
    </ul>
  );
}
