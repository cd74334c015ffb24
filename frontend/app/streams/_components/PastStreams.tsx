"use client";
import Link from "next/link";
import { Amount } from "@/components/chain/Amount.tsx";
import type { OwnStream } from "@/queries/streams.ts";
import { useNetwork } from "@/web3/network.tsx";

export function PastStreams({ streams }: { streams: readonly OwnStream[] }) {
  const { explorerUrl } = useNetwork();
  return (
    <section aria-labelledby="past">
      <h2 id="past" className="mb-3 font-semibold text-xl tracking-tight">
        Ended
      </h2>
      <ul className="divide-y divide-line rounded-2xl border border-line bg-surface">
        {streams.slice(0, 100).map(({ id, providerId, ending, deposit, start, openHash }) => (
          <li
            key={String(id)}
            className="grid grid-cols-2 gap-x-4 gap-y-1 px-5 py-3 text-sm sm:grid-cols-[1fr_1.4fr_1.2fr_1.2fr] sm:items-center"
          >
            <span className="font-medium">Stream {String(id)}</span>
            <time dateTime={new Date(start * 1000).toISOString()} className="text-right text-soft sm:text-left">
              {new Date(start * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}
            </time>
            <span>
              <span className="text-soft">Paid </span>
              <Amount raw={ending ? ending.paid : deposit} />
            </span>
            <span className="flex justify-end gap-3 sm:justify-between">
              {ending && (
                <span>
                  <span className="text-soft">Back </span>
                  <Amount raw={ending.refunded} />
                </span>
              )}
              {explorerUrl ? (
                <a className="underline" href={`${explorerUrl}/tx/${ending?.hash ?? openHash}`} target="_blank" rel="noreferrer">
                  Details
                </a>
              ) : (
                providerId !== 0 && (
                  <Link className="hidden text-soft underline underline-offset-4 sm:inline" href={`/providers/${providerId}`}>
                    provider {providerId}
                  </Link>
                )
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
