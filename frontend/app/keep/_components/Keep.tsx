"use client";
import { currentFees } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { Hourglass } from "lucide-react";
import { useState } from "react";
import { useAccount } from "wagmi";
import { ConnectWallet } from "@/components/chain/ConnectWallet.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { SourceNote } from "@/components/chain/SourceNote.tsx";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { candidatesQuery } from "@/queries/keeper.ts";
import { refresh, useSource } from "@/queries/source.tsx";
import { BatchPanel } from "./BatchPanel.tsx";
import { Candidates } from "./Candidates.tsx";
import { batchOf, paying } from "./choose.ts";
import { RecentBatches } from "./RecentBatches.tsx";

export function Keep() {
  const source = useSource();
  const { address } = useAccount();
  const { data: candidates, error, isPending } = useQuery(candidatesQuery(source));
  const { data: fees } = useQuery({
    queryKey: ["fees", source.chain.network.chainId],
    queryFn: () => currentFees(source.chain),
    refetchInterval: refresh(source.chain),
  });
  // Until somebody chooses, what pays by itself is chosen.
  const [picked, setPicked] = useState<ReadonlySet<bigint>>();
  const chosen = picked ?? (candidates && fees ? paying(candidates, fees.expected) : new Set<bigint>());
  const ids = batchOf(candidates ?? [], chosen);
  return (
    <div className="mt-8 space-y-6">
      {error && (
        <ErrorNotice
          error={error}
          title={candidates ? "The chain stopped answering; this is what it last said" : "The chain does not answer"}
        />
      )}
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_21rem]">
        <Panel title="Streams worth an update" className="order-2 lg:order-1">
          {isPending && !error && (
            <div role="status" aria-label="Previewing the open streams" className="mt-4 space-y-3">
              <Skeleton className="h-9 w-full" />
              <Skeleton className="h-9 w-full" />
              <Skeleton className="h-9 w-full" />
            </div>
          )}
          {candidates?.length === 0 && (
            <div className="mt-4">
              <EmptyState icon={<Hourglass aria-hidden="true" className="size-5" />} title="No open stream owes anything just now">
                <p>As soon as somebody opens a stream, it appears here with what its update would bring.</p>
              </EmptyState>
            </div>
          )}
          {candidates && candidates.length > 0 && <Candidates candidates={candidates} chosen={chosen} onChosen={setPicked} />}
        </Panel>
        <div className="order-1 space-y-4 lg:sticky lg:top-6 lg:order-2">
          <BatchPanel ids={ids} onSent={() => setPicked(undefined)} />
          {!address && (
            <div className="rounded-2xl border border-line bg-surface p-5 text-sm">
              <p className="mb-3 text-pretty">Looking needs no wallet; sending does. The reward comes to the wallet that sends.</p>
              <ConnectWallet label="Connect a wallet" />
            </div>
          )}
        </div>
      </div>
      <RecentBatches />
      <SourceNote />
    </div>
  );
}
