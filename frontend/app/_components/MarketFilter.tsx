"use client";
import { SearchIcon } from "@/components/ui/icons.tsx";
import type { MarketView } from "./arrange.ts";
import { serviceTypes } from "./serviceTypes.ts";

const field = "h-10 rounded-lg border border-line-strong bg-surface text-sm text-ink";

export function MarketFilter({ view, onChange }: { view: MarketView; onChange: (view: MarketView) => void }) {
  return (
    <search className="flex w-full flex-wrap items-center gap-2 sm:w-auto">
      <label className="relative min-w-0 flex-1 basis-full sm:basis-52">
        <span className="sr-only">Search models and owners</span>
        <SearchIcon className="pointer-events-none absolute top-3 left-3 size-4 text-soft" />
        <input
          type="search"
          value={view.search}
          onChange={({ target }) => onChange({ ...view, search: target.value })}
          placeholder="Model, id or owner"
          className={`${field} w-full pr-3 pl-9 placeholder:text-soft`}
        />
      </label>
      <select
        aria-label="Service"
        className={`${field} flex-1 px-2.5 sm:flex-none`}
        value={view.serviceType ?? ""}
        onChange={({ target }) => onChange({ ...view, serviceType: target.value === "" ? undefined : Number(target.value) })}
      >
        <option value="">Every service</option>
        {serviceTypes.map((name, index) => (
          <option key={name} value={index}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Order"
        className={`${field} flex-1 px-2.5 sm:flex-none`}
        value={view.sort}
        onChange={({ target }) => onChange({ ...view, sort: target.value as MarketView["sort"] })}
      >
        <option value="price">Cheapest first</option>
        <option value="latency">Quickest first</option>
        <option value="completions">Most paid first</option>
      </select>
      <label className="flex h-10 items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-brand-fill"
          checked={view.readyOnly}
          onChange={({ target }) => onChange({ ...view, readyOnly: target.checked })}
        />
        Ready only
      </label>
    </search>
  );
}
