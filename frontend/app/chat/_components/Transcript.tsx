"use client";
import { useEffect, useRef } from "react";
import type { Address } from "viem";
import type { Turn } from "@/paying/conversation.ts";
import { Answer } from "./Answer.tsx";

export function Transcript({ turns, asset }: { turns: readonly Turn[]; asset: Address | undefined }) {
  const end = useRef<HTMLDivElement>(null);
  const last = turns.at(-1);
  useEffect(() => {
    if (last?.state === "coming") end.current?.scrollIntoView({ block: "nearest" });
  }, [last?.content, last?.state]);
  if (turns.length === 0) return null;
  return (
    <>
      <ol className="space-y-6" aria-label="Conversation">
        {turns.map((turn, index) => (
          <li key={index}>{turn.role === "user" ? <Question text={turn.content} /> : <Answer turn={turn} asset={asset} />}</li>
        ))}
      </ol>
      <div ref={end} className="scroll-mb-44" />
    </>
  );
}

function Question({ text }: { text: string }) {
  return (
    <p className="ml-auto w-fit max-w-[85%] whitespace-pre-wrap break-words rounded-2xl rounded-br-md bg-sunken px-4 py-2.5">{text}</p>
  );
}
