"use client";
import type { FormEvent, KeyboardEvent, ReactNode } from "react";
import { ConnectWallet } from "@/components/chain/ConnectWallet.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { ArrowIcon, StopIcon } from "@/components/ui/icons.tsx";
import type { Phase } from "@/paying/desk.ts";
import type { Payment } from "@/paying/payment.ts";

const doing: Partial<Record<Phase, string>> = {
  allowing: "Let the contract take this deposit from your token: sign or confirm in your wallet.",
  opening: "Confirm the deposit in your wallet; then the chain takes a moment.",
  signing: "Sign the session in your wallet. It costs nothing.",
  ending: "Ending it and bringing the rest back.",
};

interface ComposerProps {
  text: string;
  onText: (text: string) => void;
  /** What stays in sight beside it. */
  note: ReactNode;
  phase: Phase;
  isConnected: boolean;
  isOpen: boolean;
  /** What pays, or would. */
  kind: Payment["kind"];
  canAsk: boolean;
  onAsk: (text: string) => void;
  onStop: () => void;
  onEnd: () => void;
}

export function Composer({ text, onText, note, phase, isConnected, isOpen, kind, canAsk, onAsk, onStop, onEnd }: ComposerProps) {
  const isReady = isConnected && canAsk && phase === "idle" && text.trim() !== "";
  const ask = (event?: FormEvent) => {
    event?.preventDefault();
    if (!isReady) return;
    onAsk(text.trim());
    onText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      ask();
    }
  };
  return (
    <form onSubmit={ask} className="sticky bottom-0 z-10 mt-6 bg-linear-to-t from-75% from-page to-transparent pt-1 pb-4">
      <div className="flex min-h-7 items-end justify-between gap-3 px-1 pb-1 text-sm">
        <p role="status" className="text-warn">
          {doing[phase]}
        </p>
        {note}
      </div>
      <div className="rounded-2xl border border-line-strong bg-surface p-2 shadow-lift focus-within:border-brand">
        <textarea
          aria-label="Your question"
          value={text}
          onChange={({ target }) => onText(target.value)}
          onKeyDown={onKeyDown}
          rows={2}
          placeholder="What do you want to know?"
          className="field-sizing-content block max-h-60 min-h-14 w-full resize-none bg-transparent px-2 py-1.5 outline-none placeholder:text-soft"
        />
        <div className="flex flex-wrap items-center justify-end gap-2">
          {phase === "answering" ? (
            <>
              <Button look="quiet" onClick={onStop}>
                <StopIcon className="size-3.5" /> Stop
              </Button>
              <Button onClick={onEnd}>Stop and end the {kind}</Button>
            </>
          ) : isConnected ? (
            <Button type="submit" disabled={!isReady}>
              {isOpen ? "Ask" : `Open ${kind} and ask`} <ArrowIcon />
            </Button>
          ) : (
            <ConnectWallet label="Connect a wallet to ask" />
          )}
        </div>
      </div>
    </form>
  );
}
