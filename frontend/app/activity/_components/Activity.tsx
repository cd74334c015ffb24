"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useState } from "react";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { SourceNote } from "@/components/chain/SourceNote.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { Segmented } from "@/components/ui/Segmented.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import { activityQuery } from "@/queries/activity.ts";
import type { ChainEvent } from "@/queries/journal.ts";
import { useSource } from "@/queries/source.tsx";
import { EventRow } from "./EventRow.tsx";

const kinds = [
  { value: "all", name: "All" },
  { value: "registry", name: "Offers" },
  { value: "streamPay", name: "Streams" },
  { value: "paymentChannel", name: "Channels" },
] as const;

export function Activity() {
  const [kind, setKind] = useState<(typeof kinds)[number]["value"]>("all");
  const chainTime = useChainTime();
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(activityQuery(useSource()));
  const events = data?.pages.flatMap((page) => page.events).filter(({ contract }) => kind === "all" || contract === kind);
  const now = chainTime ? Math.floor(chainTime(performance.now()) / 1000) : undefined;
  return (
    <div className="mt-8 space-y-6">
      <Segmented label="Kind" options={kinds} value={kind} onPick={setKind} />
      {error && (
        <ErrorNotice error={error} title={data ? "The chain stopped answering; this is what it last said" : "The chain does not answer"} />
      )}
      {isPending && !error && (
        <div role="status" aria-label="Reading what happened" className="space-y-3">
          {["a", "b", "c", "d", "e"].map((key) => (
            <Skeleton key={key} className="h-14 w-full rounded-xl" />
          ))}
        </div>
      )}
      {events?.length === 0 && (
        <EmptyState icon={<History aria-hidden="true" className="size-5" />} title="Nothing of this kind has happened yet" />
      )}
      {events && events.length > 0 && (
        <ul className="divide-y divide-line overflow-hidden rounded-2xl border border-line bg-surface">
          {events.map((event: ChainEvent) => (
            <li key={`${event.transactionHash} ${event.logIndex}`}>
              <EventRow event={event} now={now} />
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button look="quiet" onClick={() => fetchNextPage()} disabled={isFetchingNextPage}>
          {isFetchingNextPage ? "Reading…" : "Show older"}
        </Button>
      )}
      <SourceNote />
    </div>
  );
}
