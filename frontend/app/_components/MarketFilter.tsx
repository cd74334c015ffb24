"use client";
import { LayoutGrid, Rows3, Search } from "lucide-react";
import { useMemo } from "react";
import { untrusted } from "@/components/chain/untrusted.ts";
import { fieldClass } from "@/components/ui/Field.tsx";
import { Segmented } from "@/components/ui/Segmented.tsx";
import { Select } from "@/components/ui/Select.tsx";
import type { MarketOffer } from "@/queries/offers.ts";
import { useNetwork } from "@/web3/network.tsx";
import type { MarketView } from "./marketView.ts";
import { serviceTypes } from "./serviceTypes.ts";

interface MarketFilterProps {
  view: MarketView;
  offers: readonly MarketOffer[] | undefined;
  onChange: (view: MarketView) => void;
}

/** More names than this are found by searching. */
const MOST_MODELS = 100;

const services = [{ value: "", name: "Every service" }, ...serviceTypes.map((name, index) => ({ value: String(index), name }))];
const orders = [
  { value: "price", name: "Cheapest first" },
  { value: "latency", name: "Quickest first" },
  { value: "completions", name: "Most paid first" },
  { value: "newest", name: "Newest first" },
];
const layouts = [
  { value: "list", name: "As a list", icon: <Rows3 aria-hidden="true" className="size-4" /> },
  { value: "cards", name: "As cards", icon: <LayoutGrid aria-hidden="true" className="size-4" /> },
] as const;

export function MarketFilter({ view, offers, onChange }: MarketFilterProps) {
  const { nativeSymbol } = useNetwork();
  const models = useMemo(() => modelsOf(offers ?? [], view.model), [offers, view.model]);
  return (
    <search className="mb-4 grid grid-cols-2 items-center gap-2 sm:flex sm:flex-wrap">
      <label className="relative col-span-2 min-w-0 sm:flex-[1_1_13rem]">
        <span className="sr-only">Search models and owners</span>
        <Search aria-hidden="true" className="pointer-events-none absolute top-3 left-3 size-4 text-soft" />
        <input
          type="search"
          value={view.search}
          onChange={({ target }) => onChange({ ...view, search: target.value })}
          placeholder="Model, id or owner"
          className={`${fieldClass} pl-9`}
        />
      </label>
      <Select
        aria-label="Model"
        className="sm:w-40"
        options={models}
        value={view.model ?? ""}
        onPick={(model) => onChange({ ...view, model: model === "" ? undefined : model })}
      />
      <Select
        aria-label="Service"
        className="sm:w-36"
        options={services}
        value={view.serviceType === undefined ? "" : String(view.serviceType)}
        onPick={(value) => onChange({ ...view, serviceType: value === "" ? undefined : Number(value) })}
      />
      <label className="relative min-w-0 sm:w-40">
        <span className="sr-only">Most that a minute may cost, in {nativeSymbol}</span>
        <input
          inputMode="decimal"
          value={view.mostPerMinute}
          onChange={({ target }) => {
            const text = target.value.replace(",", ".");
            if (/^\d{0,12}(\.\d{0,18})?$/.test(text)) onChange({ ...view, mostPerMinute: text });
          }}
          placeholder="Up to"
          className={`${fieldClass} pr-20`}
        />
        <span aria-hidden="true" className="pointer-events-none absolute top-2.5 right-3 text-soft text-sm">
          {nativeSymbol}/min
        </span>
      </label>
      <Select
        aria-label="Order"
        className="sm:w-40"
        options={orders}
        value={view.sort}
        onPick={(sort) => onChange({ ...view, sort: sort as MarketView["sort"] })}
      />
      <label className="flex h-10 items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-brand-fill"
          checked={view.readyOnly}
          onChange={({ target }) => onChange({ ...view, readyOnly: target.checked })}
        />
        Ready only
      </label>
      <div className="justify-self-end sm:ml-auto">
        <Segmented label="Layout" options={layouts} value={view.layout} onPick={(layout) => onChange({ ...view, layout })} />
      </div>
    </search>
  );
}

function modelsOf(offers: readonly MarketOffer[], chosen: string | undefined) {
  const counts = new Map<string, number>(chosen === undefined ? [] : [[chosen, 0]]);
  for (const { model } of offers) counts.set(model, (counts.get(model) ?? 0) + 1);
  const names = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1)).slice(0, MOST_MODELS);
  if (chosen !== undefined && !names.some(([name]) => name === chosen)) names.unshift([chosen, 0]);
  return [{ value: "", name: "Every model" }, ...names.map(([name]) => ({ value: name, name: untrusted(name, 40) }))];
}
