"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { worstCaseLoss } from "@clawcompute/lib/money";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode } from "react";
import { useAccount, useBalance } from "wagmi";
import { Amount } from "@/components/chain/Amount.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import type { Ending } from "@/paying/chatStream.ts";
import { healthQuery } from "@/queries/health.ts";
import { useNetwork } from "@/web3/network.tsx";

const lengths = [
  { seconds: 60, name: "1 min" },
  { seconds: 300, name: "5 min" },
  { seconds: 900, name: "15 min" },
];
const FIRST_TOKEN_MS = 30_000;

interface TermsProps {
  offers: readonly Offer[] | undefined;
  offer: Offer | undefined;
  seconds: number;
  onSeconds: (seconds: number) => void;
  onOffer: (id: number) => void;
  ending: Ending | undefined;
  isBusy: boolean;
  onClear: (() => void) | undefined;
}

/** What opening a stream means, before any money moves. */
export function Terms({ offers, offer, seconds, onSeconds, onOffer, ending, isBusy, onClear }: TermsProps) {
  const { chainId, isLocal, blockTimeMs, confirmations } = useNetwork();
  const { address } = useAccount();
  const { data: balance } = useBalance({ address, chainId, query: { refetchInterval: 5000 } });
  const { data: health } = useQuery(healthQuery(offer, { chainId, isLocal }));
  const deposit = offer && offer.pricePerSecond * BigInt(seconds);
  const worst = offer && worstCaseLoss(offer.pricePerSecond, FIRST_TOKEN_MS, blockTimeMs * (confirmations + 1));
  return (
    <div className="space-y-4 lg:sticky lg:top-6">
      {ending && <Bill ending={ending} onClear={onClear} />}
      <section aria-label="Terms" className="rounded-2xl border border-line bg-surface p-5">
        <label className="block text-sm" htmlFor="model">
          Model
        </label>
        <select
          id="model"
          className="mt-1.5 h-10 w-full truncate rounded-lg border border-line-strong bg-surface px-2.5"
          value={offer?.id ?? ""}
          disabled={isBusy || !offers}
          onChange={({ target }) => onOffer(Number(target.value))}
        >
          {!offer && <option value="">{offers ? "Choose one" : "Reading the market…"}</option>}
          {offers?.map(({ id, model }) => (
            <option key={id} value={id}>
              {untrusted(model)} (provider {id})
            </option>
          ))}
        </select>
        <fieldset className="mt-4" disabled={isBusy}>
          <legend className="text-sm">Deposit for</legend>
          <div className="mt-1.5 grid grid-cols-3 gap-1 rounded-lg bg-sunken p-1">
            {lengths.map(({ seconds: value, name }) => (
              <label
                key={value}
                className="cursor-pointer rounded-md py-1.5 text-center text-sm has-checked:bg-surface has-checked:font-medium has-checked:ring-1 has-checked:ring-line-strong has-focus-visible:outline-2 has-focus-visible:outline-brand"
              >
                <input type="radio" name="length" className="sr-only" checked={seconds === value} onChange={() => onSeconds(value)} />
                {name}
              </label>
            ))}
          </div>
        </fieldset>
        <dl className="mt-4 space-y-1.5 text-sm">
          <Term name="Endpoint">{offer ? <HealthLabel health={health} /> : "…"}</Term>
          <Term name="Price">{offer ? <Amount raw={offer.pricePerSecond} per="s" /> : "…"}</Term>
          <Term name="Deposit">{deposit === undefined ? "…" : <Amount raw={deposit} className="font-medium" />}</Term>
          <Term name="Most you can lose">
            {worst === undefined || deposit === undefined ? "…" : <Amount raw={worst < deposit ? worst : deposit} />}
          </Term>
          {address && <Term name="Your wallet">{balance ? <Amount raw={balance.value} /> : "…"}</Term>}
        </dl>
        <p className="mt-3 text-pretty text-soft text-xs">
          The most you can lose is what a provider costs that takes the stream and never answers, if you end it then. Gas is extra.
        </p>
        {address && deposit !== undefined && balance && balance.value <= deposit && (
          <div className="mt-3">
            <Notice tone="warn" title="The wallet holds less than the deposit and gas" />
          </div>
        )}
      </section>
    </div>
  );
}

function Term({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-soft">{name}</dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}

function Bill({ ending, onClear }: { ending: Ending; onClear: (() => void) | undefined }) {
  const { explorerUrl } = useNetwork();
  const { kind, paid, refunded, hash, overclaimed } = ending;
  return (
    <section aria-label="Bill" className="rounded-2xl bg-money-soft p-5" data-testid="bill">
      <h2 className="font-medium">
        {kind === "settled" ? "Ended for the time served" : kind === "cancelled" ? "Cancelled by the clock" : "Ended elsewhere"}
      </h2>
      {kind === "gone" ? (
        <p className="mt-2 text-sm">
          The stream that paid for this is closed.{" "}
          <Link href="/streams" className="underline underline-offset-4">
            What it cost
          </Link>
        </p>
      ) : (
        <dl className="mt-3 space-y-1.5 text-sm [&_.text-soft]:text-ink">
          <Term name="Paid">
            <span data-testid="paid">
              <Amount raw={paid} />
            </span>
          </Term>
          <Term name="Came back">
            <span data-testid="refunded">
              <Amount raw={refunded} className="font-medium" />
            </span>
          </Term>
        </dl>
      )}
      {overclaimed && <p className="mt-2 text-sm">The provider claimed more time than was measured here. Choose another one next time.</p>}
      {hash && explorerUrl && (
        <a className="mt-2 block text-sm underline" href={`${explorerUrl}/tx/${hash}`} target="_blank" rel="noreferrer">
          Transaction
        </a>
      )}
      {onClear && (
        <Button className="mt-4" size="s" look="quiet" onClick={onClear}>
          New conversation
        </Button>
      )}
    </section>
  );
}
