"use client";
import { useEffect, useRef } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { untrustedBlock } from "@/components/chain/untrusted.ts";
import { CheckIcon } from "@/components/ui/icons.tsx";
import type { Turn } from "@/paying/conversation.ts";

export function Transcript({ turns, ratePerSecond }: { turns: readonly Turn[]; ratePerSecond: string | undefined }) {
  const end = useRef<HTMLDivElement>(null);
  const last = turns.at(-1);
  useEffect(() => {
    if (last?.state === "coming") end.current?.scrollIntoView({ block: "nearest" });
  }, [last?.content, last?.state]);
  return (
    <ol className="space-y-5" aria-label="Conversation">
      {turns.map((turn, index) => (
        <li key={index}>{turn.role === "user" ? <Question turn={turn} /> : <Reply turn={turn} ratePerSecond={ratePerSecond} />}</li>
      ))}
      <div ref={end} />
    </ol>
  );
}

function Question({ turn }: { turn: Turn }) {
  return (
    <p className="ml-auto w-fit max-w-[85%] whitespace-pre-wrap break-words rounded-2xl rounded-br-md bg-sunken px-4 py-2.5">
      {turn.content}
    </p>
  );
}

function Reply({ turn, ratePerSecond }: { turn: Turn; ratePerSecond: string | undefined }) {
  const { content, state, note, servedMs } = turn;
  const isComing = state === "coming";
  return (
    <article aria-label="Answer" aria-busy={isComing} className="max-w-[68ch]">
      <p className="whitespace-pre-wrap break-words leading-relaxed">
        {untrustedBlock(content)}
        {isComing && (
          <span aria-hidden="true" className="ml-0.5 inline-block h-[1.1em] w-2 translate-y-0.5 animate-blink rounded-sm bg-money" />
        )}
      </p>
      {note && <p className="mt-2 text-sm text-warn">Cut short: {note}</p>}
      {servedMs !== undefined && (
        <p className="mt-2 flex flex-wrap items-center gap-x-2 text-soft text-sm tabular-nums">
          <CheckIcon className="size-4 text-money" />
          <span>Receipt checked, {(servedMs / 1000).toFixed(2)} s served</span>
          {ratePerSecond && <Amount raw={(BigInt(ratePerSecond) * BigInt(servedMs)) / 1000n} />}
        </p>
      )}
    </article>
  );
}
