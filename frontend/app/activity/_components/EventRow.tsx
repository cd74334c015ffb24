"use client";
import {
  ArrowDownToLine,
  ArrowLeftRight,
  CircleCheck,
  CircleStop,
  Coins,
  HandCoins,
  KeyRound,
  type LucideIcon,
  PencilLine,
  Play,
  Plus,
  Store,
} from "lucide-react";
import { TxLink } from "@/components/chain/TxLink.tsx";
import { agoText, atText } from "@/components/chain/time.ts";
import type { ChainEvent } from "@/queries/journal.ts";
import { EventText } from "./EventText.tsx";

const icons: Readonly<Record<string, LucideIcon>> = {
  ProviderRegistered: Store,
  ProviderUpdated: PencilLine,
  ProviderSignerSet: KeyRound,
  CompletionRecorded: CircleCheck,
  StreamCreated: Play,
  StreamToppedUp: Plus,
  StreamWithdrawn: ArrowDownToLine,
  StreamCancelled: CircleStop,
  StreamSettled: CircleStop,
  StreamRedirected: ArrowLeftRight,
  StreamUpdated: HandCoins,
  ChannelOpened: Play,
  ChannelToppedUp: Plus,
  ChannelSettled: ArrowDownToLine,
  ChannelClosed: CircleStop,
  CreditAdded: Coins,
  CreditWithdrawn: ArrowDownToLine,
};

/** `now`: chain time in unix seconds. */
export function EventRow({ event, now }: { event: ChainEvent; now: number | undefined }) {
  const Icon = icons[event.name] ?? Coins;
  return (
    <article className="flex gap-3 px-4 py-3 text-sm sm:px-5">
      <span className="mt-0.5 grid size-8 shrink-0 place-items-center rounded-full bg-sunken text-soft">
        <Icon aria-hidden="true" className="size-4" />
      </span>
      <div className="flex min-w-0 flex-1 flex-wrap items-baseline justify-between gap-x-4 gap-y-0.5">
        <p className="min-w-0 break-words">
          <EventText event={event} />
        </p>
        <p className="flex shrink-0 items-baseline gap-3 text-soft tabular-nums">
          <time dateTime={new Date(event.at * 1000).toISOString()} title={`${atText(event.at)}, block ${event.blockNumber}`}>
            {now === undefined ? atText(event.at) : agoText(event.at, now)}
          </time>
          <TxLink hash={event.transactionHash} />
        </p>
      </div>
    </article>
  );
}
