"use client";
import { AppError } from "@clawcompute/lib/errors";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { zeroAddress } from "viem";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { formatCoin, movingPlaces } from "@/components/chain/formatCoin.ts";
import { shortAddress } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import { useNow } from "@/hooks/useNow.ts";
import { useWallet } from "@/hooks/useWallet.ts";
import { endFoundStream } from "@/paying/chatStream.ts";
import { loadConversation } from "@/paying/conversation.ts";
import type { OwnStream } from "@/queries/streams.ts";
import { useChain } from "@/web3/network.tsx";

/** An open stream with its balance as the contract's clock moves it. */
export function OpenStream({ stream }: { stream: OwnStream }) {
  const chain = useChain();
  const wallet = useWallet();
  const client = useQueryClient();
  const chainTime = useChainTime();
  const now = useNow(stream.status === "active");
  const { id, ratePerSecond, start, end, lastPaid, deposit, providerId, payee, asset } = stream;
  const nowMs = chainTime && now > 0 ? chainTime(now) : undefined;
  const passedMs = nowMs === undefined ? undefined : Math.min(Math.max(0, nowMs - start * 1000), (end - start) * 1000);
  const accrued = passedMs === undefined ? undefined : (ratePerSecond * BigInt(Math.floor(passedMs))) / 1000n;
  const ending = useMutation({
    mutationFn: async () => {
      if (!wallet) throw new AppError("WALLET_MISSING", "The wallet is not on this chain.", { hint: "Switch the network in your wallet." });
      const { chainId } = chain.network;
      const kept = loadConversation(chainId, wallet.account.address)?.stream;
      return endFoundStream(chain, wallet, stream, kept?.id === String(id) ? kept.token : undefined);
    },
    onSettled: () => client.invalidateQueries(),
  });
  const places = movingPlaces(ratePerSecond);
  const unit = asset === zeroAddress ? chain.network.nativeSymbol : "raw units";
  const amount = (raw: bigint) => (asset === zeroAddress ? formatCoin(raw, { places }) : String(raw));
  const isOver = nowMs !== undefined && nowMs >= end * 1000;
  return (
    <article aria-label={`Stream ${id}`} className="rounded-2xl border border-line bg-surface p-5">
      <div className="flex items-baseline justify-between gap-3 text-sm">
        <h3 className="font-medium">Stream {String(id)}</h3>
        <p className="truncate text-soft">
          to{" "}
          {providerId === 0 ? (
            <span className="font-mono text-xs">{shortAddress(payee)}</span>
          ) : (
            <Link href={`/providers/${providerId}`} className="underline underline-offset-4">
              provider {providerId}
            </Link>
          )}
        </p>
      </div>
      <div className={`mt-4 h-1 rounded-full ${isOver ? "bg-line" : "stream-line animate-flow"}`} aria-hidden="true" />
      <dl className="mt-4 grid grid-cols-2 gap-4">
        <div className="min-w-0">
          <dt className="text-soft text-sm">Provider's by the clock</dt>
          <dd className="mt-0.5 truncate font-medium text-lg tabular-nums">
            {accrued === undefined ? "…" : amount(accrued)} <span className="font-normal text-soft text-sm">{unit}</span>
          </dd>
        </div>
        <div className="min-w-0 text-right">
          <dt className="text-soft text-sm">Still yours</dt>
          <dd className="mt-0.5 truncate font-medium text-lg text-money tabular-nums">
            {accrued === undefined ? "…" : amount(deposit - accrued)} <span className="font-normal text-soft text-sm">{unit}</span>
          </dd>
        </div>
      </dl>
      <div className="mt-4 flex flex-wrap items-center justify-between gap-3">
        <p className="text-soft text-sm tabular-nums">
          {nowMs === undefined ? "…" : isOver ? "It has run out." : `Runs out in ${Math.ceil((end * 1000 - nowMs) / 1000)} s`}
          {lastPaid > start && ", partly collected"}
        </p>
        <Button size="s" onClick={() => ending.mutate()} disabled={ending.isPending || !wallet}>
          {ending.isPending ? "Ending…" : "End now"}
        </Button>
      </div>
      {ending.error && (
        <div className="mt-3">
          <ErrorNotice error={ending.error} />
        </div>
      )}
    </article>
  );
}
