"use client";
import Link from "next/link";
import { Amount } from "@/components/chain/Amount.tsx";
import { formatCoin, movingPlaces } from "@/components/chain/formatCoin.ts";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import type { Phase } from "@/hooks/useConversation.ts";
import { useNow } from "@/hooks/useNow.ts";
import { type ChatStream, depositOf } from "@/paying/chatStream.ts";
import { costOf } from "@/paying/conversation.ts";
import { useNetwork } from "@/web3/network.tsx";

interface MeterProps {
  stream: ChatStream;
  servedMs: number;
  answeringSince: number | undefined;
  phase: Phase;
  canEnd: boolean;
  onEnd: () => void;
}

/** The taximeter: what the served seconds cost so far, and how long the deposit lasts. */
export function Meter({ stream, servedMs, answeringSince, phase, canEnd, onEnd }: MeterProps) {
  const { nativeSymbol } = useNetwork();
  const isRunning = answeringSince !== undefined;
  const now = useNow(true);
  const chainTime = useChainTime();
  const comingMs = isRunning ? Math.max(0, now - answeringSince) : 0;
  const cost = costOf(stream, servedMs, comingMs);
  const deposit = depositOf(stream);
  const rate = BigInt(stream.ratePerSecond);
  const leftMs = chainTime && now > 0 ? Math.max(0, stream.end * 1000 - chainTime(now)) : undefined;
  const share = deposit > 0n ? Number((cost * 10_000n) / deposit) / 100 : 0;
  return (
    <section aria-label="Meter" className="rounded-2xl border border-line bg-surface p-4 lg:sticky lg:top-6 lg:p-5">
      <div className="flex items-baseline justify-between gap-3 text-sm">
        <Link href={`/providers/${stream.providerId}`} className="truncate font-medium underline-offset-4 hover:underline">
          {untrusted(stream.model)}
        </Link>
        <span className="shrink-0 text-soft">Stream {stream.id}</span>
      </div>
      <p className="mt-2 text-soft text-sm lg:mt-4">{isRunning ? "Working for you" : "Served so far"}</p>
      <p className="mt-1 font-semibold text-2xl tabular-nums tracking-tight lg:text-3xl" data-testid="cost">
        {formatCoin(cost, { places: movingPlaces(rate) })}
        <span className="ml-1.5 font-normal text-base text-soft">{nativeSymbol}</span>
      </p>
      <div className={`mt-3 h-1 rounded-full lg:mt-4 ${isRunning ? "stream-line animate-flow" : "bg-line"}`} aria-hidden="true">
        {!isRunning && <div className="h-full rounded-full bg-money" style={{ width: `${Math.min(100, share)}%` }} />}
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-y-1.5 text-sm lg:mt-4 [&>dd]:text-right max-lg:[&>.wide]:hidden">
        <dt className="text-soft">Served</dt>
        <dd className="tabular-nums">{((servedMs + comingMs) / 1000).toFixed(2)} s</dd>
        <dt className="wide text-soft">Price</dt>
        <dd className="wide">
          <Amount raw={rate} per="s" />
        </dd>
        <dt className="wide text-soft">Deposit</dt>
        <dd className="wide">
          <Amount raw={deposit} />
        </dd>
        <dt className="text-soft">Lasts another</dt>
        <dd className={`tabular-nums ${leftMs !== undefined && leftMs < 15_000 ? "text-bad" : ""}`}>
          {leftMs === undefined ? "…" : clock(leftMs)}
        </dd>
      </dl>
      <Button
        className="mt-3 w-full lg:mt-5"
        look="quiet"
        onClick={onEnd}
        disabled={!canEnd || ["ending", "opening", "signing"].includes(phase)}
      >
        {phase === "ending" ? "Ending…" : "End and take the rest back"}
      </Button>
      <p className="mt-3 hidden text-pretty text-soft text-xs lg:block">
        With the provider's signature you pay the served time only. Without it, the contract's clock counts since the stream was opened.
      </p>
    </section>
  );
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}
