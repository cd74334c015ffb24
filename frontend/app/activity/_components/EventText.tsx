"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode } from "react";
import { type Address, zeroAddress } from "viem";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { assetOfQuery, type Subject } from "@/queries/activity.ts";
import type { ChainEvent } from "@/queries/journal.ts";
import { useSource } from "@/queries/source.tsx";

type Args = ChainEvent["args"];

const raw = (args: Args, key: string) => BigInt((args[key] as string | undefined) ?? 0);
const who = (args: Args, key: string) => <AddressText address={args[key] as Address} />;
const stream = (args: Args, key = "id") => <span className="font-medium">stream {String(args[key])}</span>;
const channel = ({ channelId }: Args) => (
  <span className="font-medium" title={String(channelId)}>
    channel <span className="font-mono text-xs">{String(channelId).slice(0, 10)}…</span>
  </span>
);
const provider = (id: unknown) => (
  <Link href={`/providers/${String(id)}`} className="font-medium underline underline-offset-4">
    provider {String(id)}
  </Link>
);
const coin = (args: Args, key: string, asset?: string) => (
  <Amount raw={raw(args, key)} {...(asset ? { asset: args[asset] as Address } : {})} className="font-medium" />
);
/** Of a thing whose later events do not name its asset. */
const part = (kind: Subject["kind"]) => (args: Args, key: string) => (
  <Part raw={raw(args, key)} subject={{ kind, id: String(kind === "channel" ? args.channelId : args.id) }} />
);
const [ofStream, ofProvider, ofChannel] = [part("stream"), part("provider"), part("channel")];

function Part({ raw, subject }: { raw: bigint; subject: Subject }) {
  const { data: asset } = useQuery(assetOfQuery(useSource(), subject));
  return asset ? <Amount raw={raw} asset={asset} className="font-medium" /> : <span title={`${raw} raw units`}>…</span>;
}

const sentences: Readonly<Record<string, (args: Args) => ReactNode>> = {
  ProviderRegistered: (args) => (
    <>
      {who(args, "owner")} offers <b className="font-medium">{untrusted(String(args.model))}</b> as {provider(args.id)} for{" "}
      <Amount
        raw={raw(args, "pricePerSecond")}
        asset={(args.asset as Address | undefined) ?? zeroAddress}
        per="s"
        className="font-medium"
      />
    </>
  ),
  ProviderUpdated: (args) =>
    args.active === true ? (
      <>
        {provider(args.id)} takes work, price {ofProvider(args, "pricePerSecond")} a second
      </>
    ) : (
      <>{provider(args.id)} takes no new streams</>
    ),
  ProviderSignerSet: (args) => (
    <>
      {provider(args.id)} {args.signer === zeroAddress ? "signs with its own wallet" : <>signs with {who(args, "signer")}</>}
    </>
  ),
  CompletionRecorded: (args) => (
    <>
      {provider(args.id)} was paid {ofProvider(args, "earned")} in {String(args.count)} {args.count === "1" ? "payment" : "payments"}
    </>
  ),
  StreamCreated: (args) => (
    <>
      {who(args, "payer")} opened {stream(args)} to {args.providerId === "0" ? who(args, "payee") : provider(args.providerId)} with{" "}
      <Amount
        raw={raw(args, "ratePerSecond") * (raw(args, "end") - raw(args, "start"))}
        asset={args.asset as Address}
        className="font-medium"
      />
    </>
  ),
  StreamToppedUp: (args) => (
    <>
      {who(args, "by")} added {ofStream(args, "amount")} to {stream(args)}
    </>
  ),
  StreamWithdrawn: (args) => (
    <>
      {who(args, "payee")} took {ofStream(args, "amount")} out of {stream(args)}
    </>
  ),
  StreamCancelled: (args) => (
    <>
      {who(args, "by")} ended {stream(args)}: {ofStream(args, "paid")} paid, {ofStream(args, "refunded")} back
    </>
  ),
  StreamSettled: (args) => (
    <>
      {stream(args)} ended for the time served: {ofStream(args, "paid")} paid, {ofStream(args, "refunded")} back
    </>
  ),
  StreamRedirected: (args) => (
    <>
      {stream(args)} moved on to {stream(args, "newId")} with {ofStream(args, "moved")}
    </>
  ),
  StreamUpdated: (args) => (
    <>
      A keeper credited {ofStream(args, "accrued")} of {stream(args)}, {ofStream(args, "reward")} of it its own
      {args.completed === true && "; the stream is complete"}
    </>
  ),
  ChannelOpened: (args) => (
    <>
      {who(args, "payer")} opened {channel(args)} to {who(args, "payee")} with {coin(args, "deposit", "token")}
    </>
  ),
  ChannelToppedUp: (args) => (
    <>
      {who(args, "by")} added {ofChannel(args, "amount")} to {channel(args)}
    </>
  ),
  ChannelSettled: (args) => (
    <>
      {channel(args)} paid {ofChannel(args, "paid")}
    </>
  ),
  ChannelClosed: (args) => (
    <>
      {channel(args)} was closed: {ofChannel(args, "paid")} paid, {ofChannel(args, "refunded")} back
    </>
  ),
  CloseRequested: (args) => <>The payer wants to close {channel(args)}</>,
  CloseRequestCancelled: (args) => <>The payer stays in {channel(args)}</>,
  CreditAdded: (args) => (
    <>
      {coin(args, "amount", "asset")} were set aside for {who(args, "account")}
    </>
  ),
  CreditWithdrawn: (args) => (
    <>
      {who(args, "account")} collected {coin(args, "amount", "asset")}
    </>
  ),
};

/** What an event says, in a sentence; what a stranger wrote is shown as cleaned text. */
export function EventText({ event: { name, args } }: { event: ChainEvent }) {
  return sentences[name]?.(args) ?? <>{untrusted(name)}</>;
}
