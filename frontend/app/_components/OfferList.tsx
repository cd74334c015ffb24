"use client";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { MarketOffer } from "@/queries/offers.ts";
import { OfferCard } from "./OfferCard.tsx";
import { OfferRow } from "./OfferRow.tsx";
import { rowColumns } from "./rowColumns.ts";

type Layout = "list" | "cards";

/** Thousands of offers, of which only those in sight are in the page; its own scroll bar is theirs. */
export function OfferList({ offers, layout }: { offers: readonly MarketOffer[]; layout: Layout }) {
  const { ref, width, top } = usePlace();
  const across = layout === "list" ? 1 : width < 560 ? 1 : width < 900 ? 2 : 3;
  const isNarrow = width < 600;
  const height = layout === "cards" ? 224 : isNarrow ? 152 : 78;
  const virtual = useWindowVirtualizer({
    count: offers.length,
    lanes: across,
    estimateSize: () => height,
    overscan: 6,
    scrollMargin: top,
    gap: layout === "cards" ? 16 : 0,
    getItemKey: (index) => `${layout} ${across} ${offers[index]?.id}`,
  });
  return (
    <div className={layout === "list" ? "overflow-hidden rounded-2xl border border-line bg-surface" : "-mx-2"}>
      {layout === "list" && (
        <div aria-hidden="true" className={`hidden border-line border-b px-5 py-2.5 text-soft text-sm ${rowColumns}`}>
          <span>Model</span>
          <span>Price</span>
          <span>Endpoint, from here</span>
          <span>Paid so far</span>
          <span className="w-18" />
        </div>
      )}
      <ul ref={ref} className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start, lane }) => {
          const offer = offers[index];
          return (
            offer && (
              <li
                key={key}
                data-index={index}
                ref={virtual.measureElement}
                aria-setsize={offers.length}
                aria-posinset={index + 1}
                className={`absolute top-0 ${layout === "list" ? "border-line border-b last:border-b-0" : "px-2"}`}
                style={{
                  left: `${(lane * 100) / across}%`,
                  width: `${100 / across}%`,
                  transform: `translateY(${start - virtual.options.scrollMargin}px)`,
                }}
              >
                {layout === "list" ? (
                  <OfferRow offer={offer} ask={!virtual.isScrolling} />
                ) : (
                  <OfferCard offer={offer} ask={!virtual.isScrolling} />
                )}
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}

/** Where the list is and how wide; both change when the page above it does. */
function usePlace() {
  const ref = useRef<HTMLUListElement>(null);
  const [place, setPlace] = useState({ width: 1100, top: 0 });
  const measure = useCallback(() => {
    const element = ref.current;
    if (!element) return;
    const { width, top } = element.getBoundingClientRect();
    const next = { width: Math.round(width), top: Math.round(top + scrollY) };
    setPlace((now) => (now.width === next.width && now.top === next.top ? now : next));
  }, []);
  useLayoutEffect(measure);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [measure]);
  return { ref, ...place };
}
