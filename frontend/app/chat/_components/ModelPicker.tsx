"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { shortAddress, untrusted } from "@/components/chain/untrusted.ts";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { CheckIcon, ChevronIcon, SearchIcon } from "@/components/ui/icons.tsx";
import { healthQuery } from "@/queries/health.ts";
import { useNetwork } from "@/web3/network.tsx";

interface ModelPickerProps {
  offers: readonly Offer[] | undefined;
  offer: Offer | undefined;
  onOffer: (id: number) => void;
  isDisabled: boolean;
}

/** Which model of which provider. */
export function ModelPicker({ offers, offer, onOffer, isDisabled }: ModelPickerProps) {
  const { chainId, isLocal } = useNetwork();
  const { data: health } = useQuery(healthQuery(offer, { chainId, isLocal }));
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        disabled={isDisabled || !offers?.length}
        onClick={() => setIsOpen(true)}
        aria-haspopup="dialog"
        className="-m-2 flex w-[calc(100%+1rem)] items-center gap-3 rounded-xl p-2 text-left hover:bg-sunken disabled:cursor-not-allowed"
      >
        <span className="min-w-0 flex-1">
          <span className="block text-soft text-sm">Model</span>
          <span className="mt-0.5 block truncate font-semibold text-lg tracking-tight">
            {offer ? untrusted(offer.model) : offers ? "Choose one" : "Reading the market…"}
          </span>
          <span className="mt-0.5 flex min-h-5 items-center gap-x-2 text-sm">
            {offer && (
              <>
                <HealthLabel health={health} />
                <span className="text-soft">provider {offer.id}</span>
              </>
            )}
          </span>
        </span>
        <ChevronIcon className="size-5 text-soft" />
      </button>
      {isOpen && offers && (
        <Dialog title="Choose a model" onClose={() => setIsOpen(false)}>
          <Choices
            offers={offers}
            chosen={offer?.id}
            onChoose={(id) => {
              onOffer(id);
              setIsOpen(false);
            }}
          />
        </Dialog>
      )}
    </>
  );
}

const ROW_PX = 64;

function Choices({ offers, chosen, onChoose }: { offers: readonly Offer[]; chosen: number | undefined; onChoose: (id: number) => void }) {
  const [search, setSearch] = useState("");
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = offers.filter(({ model, id, owner }) => words.every((word) => `${model} #${id} ${owner}`.toLowerCase().includes(word)));
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: 6 });
  return (
    <>
      <label className="relative block">
        <span className="sr-only">Search models</span>
        <SearchIcon className="pointer-events-none absolute top-3 left-3 size-4 text-soft" />
        <input
          type="search"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
          placeholder="Model, id or owner"
          className="h-10 w-full rounded-xl border border-line-strong bg-surface pr-3 pl-9 placeholder:text-soft"
        />
      </label>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section ref={scroller} className="mt-3 h-80 max-h-[55dvh] overflow-y-auto" aria-label="Models" tabIndex={0}>
        {shown.length === 0 && <p className="p-3 text-soft text-sm">No model fits.</p>}
        <ul className="relative" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const offer = shown[index];
            return (
              offer && (
                <li key={offer.id} className="absolute inset-x-0" style={{ height: ROW_PX, transform: `translateY(${start}px)` }}>
                  <Choice offer={offer} isChosen={offer.id === chosen} onChoose={() => onChoose(offer.id)} />
                </li>
              )
            );
          })}
        </ul>
      </section>
    </>
  );
}

function Choice({ offer, isChosen, onChoose }: { offer: Offer; isChosen: boolean; onChoose: () => void }) {
  const { chainId, isLocal } = useNetwork();
  const { data: health } = useQuery(healthQuery(offer, { chainId, isLocal }));
  return (
    <button
      type="button"
      onClick={onChoose}
      aria-pressed={isChosen}
      className="flex h-full w-full items-center gap-3 rounded-xl px-3 text-left hover:bg-sunken aria-pressed:bg-sunken"
    >
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{untrusted(offer.model)}</span>
        <span className="block truncate text-soft text-sm">
          provider {offer.id} by <span className="font-mono text-xs">{shortAddress(offer.owner)}</span>
        </span>
      </span>
      <span className="text-right text-sm">
        <Amount raw={offer.pricePerSecond} asset={offer.asset} per="s" className="block" />
        <HealthLabel health={health} />
      </span>
      <CheckIcon className={`size-4 text-brand ${isChosen ? "" : "invisible"}`} />
    </button>
  );
}
