"use client";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import type { Address } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { untrusted, untrustedBlock } from "@/components/chain/untrusted.ts";
import { CopyButton } from "@/components/ui/CopyButton.tsx";
import { AlertIcon, UnverifiedIcon, VerifiedIcon } from "@/components/ui/icons.tsx";
import type { Turn } from "@/paying/conversation.ts";
import { ReceiptDialog, receiptOf } from "./ReceiptDialog.tsx";

const Markdown = lazy(() => import("@/components/ui/Markdown.tsx"));

export function Answer({ turn, asset }: { turn: Turn; asset: Address | undefined }) {
  const { content, state, note, receipt, measuredMs, model } = turn;
  const [isOpen, setIsOpen] = useState(false);
  const text = useDeferredValue(untrustedBlock(content));
  const isComing = state === "coming";
  const signed = receipt && receiptOf(receipt);
  return (
    <article aria-label="Answer" aria-busy={isComing} className="max-w-[70ch]">
      {model && <p className="mb-1 truncate text-soft text-xs">{untrusted(model)}</p>}
      <Suspense fallback={<p className="whitespace-pre-wrap break-words leading-relaxed">{text}</p>}>
        <Markdown text={text} />
      </Suspense>
      {isComing && <span aria-hidden="true" className="inline-block h-[1.1em] w-2 animate-blink rounded-sm bg-money" />}
      {note && (
        <p className="mt-3 flex items-start gap-2 border-warn border-l-2 pl-3 text-sm text-warn">
          <AlertIcon className="mt-0.5 size-4" />
          <span>Cut short: {note}</span>
        </p>
      )}
      {!isComing && (
        <p className="-ml-1 mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-soft text-sm tabular-nums">
          {content !== "" && <CopyButton text={content} label="Copy answer" className="-mr-2" />}
          {receipt && signed ? (
            <button
              type="button"
              onClick={() => setIsOpen(true)}
              className="inline-flex items-center gap-1.5 rounded-lg px-1.5 py-1 hover:bg-sunken hover:text-ink"
            >
              <VerifiedIcon className="size-4 text-money" />
              <span>Receipt checked</span>
            </button>
          ) : (
            <span className="inline-flex items-center gap-1.5 px-1.5 py-1">
              <UnverifiedIcon className="size-4 text-warn" />
              No receipt
            </span>
          )}
          <span>{((receipt?.servedMs ?? measuredMs ?? 0) / 1000).toFixed(2)} s</span>
          {signed && <Amount raw={signed.amount} {...(asset ? { asset } : {})} />}
        </p>
      )}
      {isOpen && receipt && <ReceiptDialog receipt={receipt} asset={asset} onClose={() => setIsOpen(false)} />}
    </article>
  );
}
