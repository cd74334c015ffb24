"use client";
import Link from "next/link";
import { useEffect, useState } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { Flow } from "@/components/chain/Flow.tsx";
import { MovingAmount } from "@/components/chain/MovingAmount.tsx";
import { Runway } from "@/components/chain/Runway.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import { atRiskMs } from "@/paying/channelSessions.ts";
import { costOf } from "@/paying/conversation.ts";
import type { Phase } from "@/paying/desk.ts";
import type { Payment } from "@/paying/payment.ts";

interface MeterProps {
  payment: Payment;
  servedMs: number;
  answeringSince: number | undefined;
  phase: Phase;
  canEnd: boolean;
  onEnd: () => void;
}

/** What it costs and how long it lasts, at a `performance.now()`. */
function useMeter({ payment, servedMs, answeringSince }: Pick<MeterProps, "payment" | "servedMs" | "answeringSince">) {
  const chainTime = useChainTime();
  const isRunning = answeringSince !== undefined;
  const rate = BigInt(payment.ratePerSecond);
  const deposit = BigInt(payment.deposit);
  const servedAt = (now: number) => servedMs + (isRunning ? Math.max(0, now - answeringSince) : 0);
  const costAt = (now: number) => costOf(payment, servedAt(now));
  const leftMs = (now: number) => {
    if (payment.end !== undefined) return chainTime && Math.max(0, payment.end * 1000 - chainTime(now));
    return rate > 0n ? Number(((deposit - costAt(now)) * 1000n) / rate) : undefined;
  };
  return { isRunning, rate, deposit, servedAt, costAt, leftMs };
}

/** The same in one line, for screens on which the meter scrolls away. */
export function MeterLine(props: Pick<MeterProps, "payment" | "servedMs" | "answeringSince">) {
  const { rate, costAt, leftMs } = useMeter(props);
  return (
    <p className="ml-auto flex items-center gap-2 whitespace-nowrap tabular-nums lg:hidden">
      <MovingAmount at={costAt} asset={props.payment.asset} ratePerSecond={rate} className="font-medium" unitClassName="text-xs" />
      <span className="text-soft">
        <Runway leftMs={leftMs} over="nothing" /> left
      </span>
    </p>
  );
}

/** The taximeter: what the served seconds cost so far, and how long the deposit lasts. */
export function Meter({ payment, servedMs, answeringSince, phase, canEnd, onEnd }: MeterProps) {
  const { isRunning, rate, deposit, servedAt, costAt, leftMs } = useMeter({ payment, servedMs, answeringSince });
  const beat = useBeat(isRunning);
  const share = deposit > 0n ? Number((costAt(beat) * 10_000n) / deposit) / 10_000 : 0;
  return (
    <section aria-label="Meter" className="rounded-2xl border border-line bg-surface p-4 lg:p-5">
      <div className="flex items-baseline justify-between gap-3 text-sm">
        <Link href={`/providers/${payment.providerId}`} className="truncate font-medium underline-offset-4 hover:underline">
          {untrusted(payment.model)}
        </Link>
        <span className="shrink-0 text-soft">
          {payment.kind === "stream" ? "Stream" : "Channel"} {payment.id.length > 12 ? `${payment.id.slice(0, 10)}…` : payment.id}
        </span>
      </div>
      <p className="mt-2 text-soft text-sm lg:mt-4">{isRunning ? "Working for you" : "Served so far"}</p>
      <MovingAmount
        at={costAt}
        asset={payment.asset}
        ratePerSecond={rate}
        testId="cost"
        className="mt-0.5 block font-semibold text-2xl tracking-tight lg:text-3xl"
        unitClassName="text-base tracking-normal"
      />
      <div className="mt-3 lg:mt-4">
        <Flow share={share} isMoving={isRunning} />
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-y-1.5 text-sm lg:mt-4 [&>dd]:text-right max-lg:[&>.wide]:hidden">
        <dt className="text-soft">Served</dt>
        <dd className="tabular-nums">{(servedAt(beat) / 1000).toFixed(1)} s</dd>
        <dt className="wide text-soft">Price</dt>
        <dd className="wide">
          <Amount raw={rate} asset={payment.asset} per="s" />
        </dd>
        <dt className="wide text-soft">Deposit</dt>
        <dd className="wide">
          <Amount raw={deposit} asset={payment.asset} />
        </dd>
        {payment.kind === "channel" && (
          <>
            <dt className="text-soft">At risk now</dt>
            <dd className="tabular-nums" data-testid="at-risk">
              {(atRiskMs(payment) / 1000).toFixed(1)} s
            </dd>
          </>
        )}
        <dt className="text-soft">Lasts another</dt>
        <dd>
          <Runway leftMs={leftMs} over="nothing" />
        </dd>
      </dl>
      <Button
        className="mt-3 w-full lg:mt-5"
        look="quiet"
        onClick={onEnd}
        disabled={!canEnd || ["ending", "allowing", "opening", "signing"].includes(phase)}
      >
        {phase === "ending" ? "Ending…" : "End and take the rest back"}
      </Button>
      <p className="mt-3 hidden text-pretty text-soft text-xs leading-relaxed lg:block">
        {payment.kind === "channel" ? (
          "This page signs while an answer comes, never more than a second ahead. Ending pays what was served; the rest comes back."
        ) : (
          <>
            With the provider's signature you pay the served time only. Without it, the contract's clock counts since the stream was opened.{" "}
            <Link href="/streams" className="underline underline-offset-4">
              Top up or move it
            </Link>
          </>
        )}
      </p>
    </section>
  );
}

/** Ten times a second while it runs: for what need not move on every frame. */
function useBeat(isRunning: boolean): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    setNow(performance.now());
    if (!isRunning) return;
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}
