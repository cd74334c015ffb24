import Link from "next/link";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { shortAddress, untrusted } from "@/components/chain/untrusted.ts";
import { buttonClass } from "@/components/ui/Button.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import type { MarketRow } from "./arrange.ts";
import { serviceTypes } from "./serviceTypes.ts";

const columns =
  "sm:grid sm:grid-cols-[minmax(0,2.1fr)_minmax(0,1.700fr)_minmax(0,1.500fr)_minmax(0,1.500fr)_4.5rem] sm:items-center sm:gap-x-5";

export function OfferList({ rows }: { rows: readonly MarketRow[] }) {
  return (
    <div className="overflow-hidden rounded-2xl border border-line bg-surface">
      <div aria-hidden="true" className={`hidden border-line border-b px-5 py-2.5 text-soft text-sm ${columns}`}>
        <span>Model</span>
        <span>Price</span>
        <span>Endpoint, from here</span>
        <span>Paid so far</span>
        <span className="w-[4.500rem]" />
      </div>
      <ul className="divide-y divide-line">
        {rows.map((row) => (
          <li key={row.offer.id}>
            <OfferRow {...row} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function OfferRow({ offer, health }: MarketRow) {
  const { id, model, owner, pricePerSecond, serviceType, completions, earned, asset } = offer;
  const name = untrusted(model);
  const isNative = asset === zeroAddress;
  return (
    <article aria-label={`${name}, provider ${id}`} className={`grid grid-cols-2 gap-x-4 gap-y-3 px-4 py-4 sm:px-5 ${columns}`}>
      <div className="col-span-2 min-w-0 sm:col-span-1">
        <h3 className="truncate font-medium">
          <Link href={`/providers/${id}`} className="underline-offset-4 hover:underline">
            {name}
          </Link>
        </h3>
        <p className="mt-0.5 truncate text-soft text-sm">
          {serviceTypes[serviceType] ?? "Other"}, #{id} by <span className="font-mono text-xs">{shortAddress(owner)}</span>
        </p>
      </div>
      <div className="min-w-0">
        {isNative ? (
          <>
            <Amount raw={pricePerSecond} per="s" className="block font-medium" />
            <Amount raw={pricePerSecond * 60n} per="min" className="mt-0.5 block text-soft text-sm" />
          </>
        ) : (
          <span className="text-soft text-sm">In a token, {shortAddress(asset)}</span>
        )}
      </div>
      <HealthLabel health={health} className="self-start text-sm sm:self-center" />
      <p className="min-w-0 text-sm">
        {completions === 0n ? (
          <span className="text-soft">Nothing yet</span>
        ) : (
          <>
            {isNative && <Amount raw={earned} className="block" />}
            <span className="text-soft tabular-nums">
              {completions.toString()} {completions === 1n ? "payment" : "payments"}
            </span>
          </>
        )}
      </p>
      <Link
        href={`/chat?provider=${id}`}
        className={`${buttonClass({ look: "quiet", size: "s" })} justify-self-end sm:justify-self-auto`}
        aria-label={`Chat with ${name}, provider ${id}`}
      >
        Chat
      </Link>
    </article>
  );
}

export function OfferListSkeleton() {
  return (
    <div
      role="status"
      aria-label="Reading the providers from the chain"
      className="divide-y divide-line rounded-2xl border border-line bg-surface"
    >
      {["a", "b", "c"].map((key) => (
        <div key={key} className={`space-y-3 px-5 py-5 sm:space-y-0 ${columns}`}>
          <Skeleton className="h-5 w-40" />
          <Skeleton className="h-5 w-28" />
          <Skeleton className="h-5 w-24" />
          <Skeleton className="h-5 w-20" />
          <Skeleton className="h-9 w-[4.500rem]" />
        </div>
      ))}
    </div>
  );
}
