"use client";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import Link from "next/link";
import { useLayoutEffect, useRef, useState } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { ExternalIcon } from "@/components/ui/icons.tsx";
import type { OwnStream } from "@/queries/streams.ts";
import { useNetwork } from "@/web3/network.tsx";

const ROW_PX = 76;

/** Every stream that is over; only the rows in sight are there, however many there are. */
export function PastStreams({ streams }: { streams: readonly OwnStream[] }) {
  const list = useRef<HTMLUListElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => setScrollMargin(list.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({ count: streams.length, estimateSize: () => ROW_PX, overscan: 8, scrollMargin });
  return (
    <section aria-labelledby="past">
      <h2 id="past" className="mb-3 font-semibold text-xl tracking-tight">
        Ended <span className="font-normal text-base text-soft tabular-nums">{streams.length}</span>
      </h2>
      <ul
        ref={list}
        className="relative overflow-hidden rounded-2xl border border-line bg-surface"
        style={{ height: rows.getTotalSize() + 2 }}
      >
        {rows.getVirtualItems().map(({ index, start }) => {
          const stream = streams[index];
          return (
            stream && (
              <li
                key={String(stream.id)}
                className="absolute inset-x-0 border-line border-b"
                style={{ height: ROW_PX, transform: `translateY(${start - scrollMargin}px)` }}
              >
                <PastStream stream={stream} />
              </li>
            )
          );
        })}
      </ul>
    </section>
  );
}

function PastStream({ stream: { id, providerId, ending, deposit, start, openHash, asset } }: { stream: OwnStream }) {
  const { explorerUrl } = useNetwork();
  return (
    <div className="grid h-full grid-cols-2 content-center items-center gap-x-4 gap-y-1 px-5 text-sm sm:grid-cols-[1fr_1.4fr_1.2fr_1.2fr_5rem]">
      <span className="font-medium">Stream {String(id)}</span>
      <time dateTime={new Date(start * 1000).toISOString()} className="text-right text-soft sm:text-left">
        {new Date(start * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}
      </time>
      <span className="truncate">
        <span className="text-soft">Paid </span>
        <Amount raw={ending ? ending.paid : deposit} asset={asset} />
      </span>
      <span className="truncate text-right sm:text-left">
        {ending ? (
          <>
            <span className="text-soft">Back </span>
            <Amount raw={ending.refunded} asset={asset} />
          </>
        ) : (
          <span className="text-soft">Ran its whole length</span>
        )}
      </span>
      <span className="hidden justify-self-end sm:block">
        {explorerUrl ? (
          <a
            className="inline-flex items-center gap-1 underline underline-offset-4"
            href={`${explorerUrl}/tx/${ending?.hash ?? openHash}`}
            target="_blank"
            rel="noreferrer"
          >
            Details <ExternalIcon className="size-3.5" />
          </a>
        ) : (
          providerId !== 0 && (
            <Link className="text-soft underline underline-offset-4" href={`/providers/${providerId}`}>
              provider {providerId}
            </Link>
          )
        )}
      </span>
    </div>
  );
}
