"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useAccount } from "wagmi";
import { ConnectWallet } from "@/components/chain/ConnectWallet.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { buttonClass } from "@/components/ui/Button.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { streamsQuery } from "@/queries/streams.ts";
import { useChain } from "@/web3/network.tsx";
import { OpenStream } from "./OpenStream.tsx";
import { PastStreams } from "./PastStreams.tsx";

export function Streams() {
  const { address, status } = useAccount();
  const { data, error, isPending } = useQuery(streamsQuery(useChain(), address));
  if (!address) {
    if (status === "reconnecting" || status === "connecting") return <Skeleton className="mt-8 h-44 w-full rounded-2xl" />;
    return (
      <div className="mt-8 space-y-4">
        <p className="text-soft">Connect the wallet whose streams you want to see.</p>
        <ConnectWallet label="Connect a wallet" />
      </div>
    );
  }
  const open = data?.filter(({ status }) => status === "active" || status === "ended") ?? [];
  const past = data?.filter(({ status }) => status === "closed") ?? [];
  return (
    <div className="mt-8 space-y-10">
      {error && (
        <ErrorNotice error={error} title={data ? "The chain stopped answering; this is what it last said" : "The chain does not answer"} />
      )}
      {isPending && <Skeleton className="h-44 w-full rounded-2xl" />}
      {data?.length === 0 && (
        <Notice title="No streams yet">
          <p className="mb-3">Open one by asking something.</p>
          <Link href="/chat" className={buttonClass({ size: "s" })}>
            Go to chat
          </Link>
        </Notice>
      )}
      {open.length > 0 && (
        <section aria-labelledby="open">
          <h2 id="open" className="mb-3 font-semibold text-xl tracking-tight">
            Open
          </h2>
          <ul className="grid gap-4 lg:grid-cols-2">
            {open.map((stream) => (
              <li key={String(stream.id)}>
                <OpenStream stream={stream} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {past.length > 0 && <PastStreams streams={past} />}
    </div>
  );
}
