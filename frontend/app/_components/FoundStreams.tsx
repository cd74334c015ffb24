"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Address } from "viem";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { MovingAmount } from "@/components/chain/MovingAmount.tsx";
import { Button, buttonClass } from "@/components/ui/Button.tsx";
import { AlertIcon } from "@/components/ui/icons.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import { deskOf } from "@/hooks/useDesk.ts";
import { useEndStream } from "@/hooks/useEndStream.ts";
import { useStreamAction } from "@/hooks/useStreamAction.ts";
import { useWallet } from "@/hooks/useWallet.ts";
import { keptTokens } from "@/paying/keptConversations.ts";
import { type OwnStream, streamsQuery } from "@/queries/streams.ts";
import { useChain } from "@/web3/network.tsx";

export default function FoundStreams({ payer }: { payer: Address }) {
  const chain = useChain();
  const { data } = useQuery(streamsQuery(chain, payer));
  const held = data && keptTokens(localStorage, chain.network.chainId, payer);
  const found = data?.filter(({ id, status }) => (status === "active" || status === "ended") && !held?.has(String(id))) ?? [];
  return found.length > 0 ? <Banner key={payer} streams={found} /> : null;
}

function Banner({ streams }: { streams: readonly OwnStream[] }) {
  const chain = useChain();
  const router = useRouter();
  const wallet = useWallet();
  const chainTime = useChainTime();
  const end = useEndStream();
  const [isHidden, setIsHidden] = useState(false);
  const goOn = useStreamAction(async (stream: OwnStream, payer) => {
    await deskOf(chain, payer.wallet.account.address).adopt(stream, payer);
    router.push("/chat");
  });
  const endAll = async () => {
    for (const stream of streams) await end.mutateAsync({ stream });
    toast(streams.length === 1 ? "The stream is ended" : `${streams.length} streams are ended`);
  };
  const [first] = streams;
  if (isHidden || !first) return null;
  const sameAsset = streams.filter(({ asset }) => asset === first.asset);
  const stillYours = (now: number) =>
    sameAsset.reduce((sum, { ratePerSecond, end, start }) => {
      const left = end * 1000 - Math.max(start * 1000, chainTime ? chainTime(now) : 0);
      return sum + (left > 0 ? (ratePerSecond * BigInt(Math.floor(left))) / 1000n : 0n);
    }, 0n);
  const isBusy = end.isPending || goOn.isPending || !wallet;
  const fastest = sameAsset.reduce((most, { ratePerSecond }) => (ratePerSecond > most ? ratePerSecond : most), 0n);
  return (
    <section aria-label="Open streams" className="border-line border-b bg-warn-soft">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5 text-sm sm:px-6">
        <AlertIcon className="size-4 text-warn" />
        <p className="min-w-0 flex-1 basis-64">
          You have {streams.length === 1 ? "1 open stream" : `${streams.length} open streams`} that no conversation here uses.{" "}
          {chainTime && <MovingAmount at={stillYours} asset={first.asset} ratePerSecond={fastest} className="font-medium" />} is still
          yours.
        </p>
        <div className="flex flex-wrap gap-2">
          <Button size="s" onClick={endAll} disabled={isBusy}>
            {end.isPending ? "Ending…" : streams.length === 1 ? "End it" : "End them"}
          </Button>
          {streams.length === 1 && first.providerId !== 0 && first.status === "active" && (
            <Button size="s" look="quiet" onClick={() => goOn.mutate(first)} disabled={isBusy}>
              Go on with it
            </Button>
          )}
          <Link href="/streams" className={buttonClass({ look: "quiet", size: "s" })}>
            Look
          </Link>
          <Button size="s" look="bare" onClick={() => setIsHidden(true)}>
            Later
          </Button>
        </div>
        {(end.error ?? goOn.error) && (
          <div className="w-full">
            <ErrorNotice error={end.error ?? goOn.error} />
          </div>
        )}
      </div>
    </section>
  );
}
