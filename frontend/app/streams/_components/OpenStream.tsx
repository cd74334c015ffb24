"use client";
import Link from "next/link";
import { useState } from "react";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Flow } from "@/components/chain/Flow.tsx";
import { MovingAmount } from "@/components/chain/MovingAmount.tsx";
import { Runway } from "@/components/chain/Runway.tsx";
import { shortAddress } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { PlusIcon, RedirectIcon } from "@/components/ui/icons.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import { useEndStream } from "@/hooks/useEndStream.ts";
import { useWallet } from "@/hooks/useWallet.ts";
import type { OwnStream } from "@/queries/streams.ts";
import { EndDialog } from "./EndDialog.tsx";
import { RedirectDialog } from "./RedirectDialog.tsx";
import { TopUpDialog } from "./TopUpDialog.tsx";

/** An open stream with its balance as the contract's clock moves it. */
export function OpenStream({ stream }: { stream: OwnStream }) {
  const wallet = useWallet();
  const chainTime = useChainTime();
  const ending = useEndStream();
  const [dialog, setDialog] = useState<"top up" | "redirect" | "end">();
  const { id, ratePerSecond, start, end, lastPaid, deposit, providerId, payee, asset } = stream;
  const lengthMs = (end - start) * 1000;
  const passedMs = (now: number) => Math.min(lengthMs, Math.max(0, (chainTime ? chainTime(now) : start * 1000) - start * 1000));
  const accruedAt = (now: number) => (ratePerSecond * BigInt(Math.floor(passedMs(now)))) / 1000n;
  const leftMs = (now: number) => chainTime && Math.max(0, end * 1000 - chainTime(now));
  const isOver = stream.status === "ended";
  const share = typeof performance === "undefined" ? 0 : passedMs(performance.now()) / lengthMs;
  const shared = {
    asset,
    ratePerSecond,
    className: "block truncate font-semibold text-lg sm:text-xl tracking-tight",
    unitClassName: "text-sm",
  };
  return (
    <article aria-label={`Stream ${id}`} className="flex h-full flex-col rounded-2xl border border-line bg-surface p-5">
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
      <dl className="mt-4 grid grid-cols-2 gap-4">
        <div className="min-w-0">
          <dt className="text-soft text-sm">Theirs, by the clock</dt>
          <dd className="mt-0.5">{chainTime ? <MovingAmount at={accruedAt} {...shared} /> : "…"}</dd>
        </div>
        <div className="min-w-0 text-right">
          <dt className="text-soft text-sm">Still yours</dt>
          <dd className="mt-0.5 text-money">
            {chainTime ? <MovingAmount at={(now) => deposit - accruedAt(now)} {...shared} testId="still-yours" /> : "…"}
          </dd>
        </div>
      </dl>
      <div className="mt-4">
        <Flow share={share} isMoving={!isOver} />
      </div>
      <p className="mt-2 text-soft text-sm">
        {isOver ? "It has run out" : <>Runs out in {chainTime ? <Runway leftMs={leftMs} over="a moment" /> : "…"}</>}
        {lastPaid > start && ", partly collected"}
      </p>
      <div className="mt-auto flex flex-wrap items-center gap-2 pt-4">
        {!isOver && (
          <>
            <Button look="quiet" size="s" disabled={!wallet} onClick={() => setDialog("top up")}>
              <PlusIcon /> Top up
            </Button>
            {providerId !== 0 && (
              <Button look="quiet" size="s" disabled={!wallet} onClick={() => setDialog("redirect")}>
                <RedirectIcon /> Redirect
              </Button>
            )}
          </>
        )}
        <Button size="s" className="ml-auto" onClick={() => setDialog("end")} disabled={ending.isPending || !wallet}>
          {ending.isPending ? "Ending…" : "End"}
        </Button>
      </div>
      {ending.error && (
        <div className="mt-3">
          <ErrorNotice error={ending.error} />
        </div>
      )}
      {dialog === "top up" && <TopUpDialog stream={stream} onClose={() => setDialog(undefined)} />}
      {dialog === "redirect" && <RedirectDialog stream={stream} onClose={() => setDialog(undefined)} />}
      {dialog === "end" && (
        <EndDialog
          stream={stream}
          onClose={() => setDialog(undefined)}
          onEnd={(byClock) => {
            setDialog(undefined);
            ending.mutate({ stream, byClock });
          }}
        />
      )}
    </article>
  );
}
