"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { useQuery } from "@tanstack/react-query";
import { zeroAddress } from "viem";
import { useAccount, useBalance } from "wagmi";
import { Amount } from "@/components/chain/Amount.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { RadioRow } from "@/components/ui/RadioRow.tsx";
import { Tooltip } from "@/components/ui/Tooltip.tsx";
import type { Conversation } from "@/paying/conversation.ts";
import { expectedServedMs } from "@/paying/expectedServedMs.ts";
import type { Payer, PaymentWay } from "@/paying/payment.ts";
import { useChain } from "@/web3/network.tsx";
import { ModelPicker } from "./ModelPicker.tsx";
import { Term } from "./Term.tsx";

const lengths = [
  { value: 60, name: "1 min" },
  { value: 300, name: "5 min" },
  { value: 900, name: "15 min" },
];

const mostLost: Record<PaymentWay["kind"], string> = {
  stream: "What a provider costs that takes the deposit and never answers, if you end it after 30 seconds. Everything else comes back.",
  channel:
    "This page never signs further ahead than that. What it did not sign comes back; from a provider that is gone, after 15 minutes.",
};

interface TermsProps {
  offers: readonly Offer[] | undefined;
  offer: Offer | undefined;
  way: PaymentWay | undefined;
  wayChoices: readonly PaymentWay[];
  onWay: (way: PaymentWay) => void;
  payer: Payer | undefined;
  seconds: number;
  onSeconds: (seconds: number) => void;
  onOffer: (id: number) => void;
  conversations: readonly Conversation[];
  isBusy: boolean;
}

/** What opening means, before any money moves. */
export function Terms(props: TermsProps) {
  const { offers, offer, way, wayChoices, onWay, payer, seconds, onSeconds, onOffer, conversations, isBusy } = props;
  const chain = useChain();
  const { chainId } = chain.network;
  const { address } = useAccount();
  const isNative = offer?.asset === zeroAddress;
  const { data: balance } = useBalance({
    address,
    chainId,
    ...(offer && !isNative ? { token: offer.asset } : {}),
    query: { refetchInterval: 5000 },
  });
  const deposit = offer && offer.pricePerSecond * BigInt(seconds);
  const expected = offer && expectedServedMs(conversations, offer.id);
  const { data: gas } = useQuery({
    queryKey: ["opening gas", chainId, way?.kind, offer?.id, String(offer?.pricePerSecond), seconds, address],
    queryFn: async () => {
      if (!payer || !offer || !way) return null;
      const [units, price] = await Promise.all([way.openingGas(payer, offer, seconds), chain.client.getGasPrice()]);
      return units === undefined ? null : units * price;
    },
    enabled: payer !== undefined && offer !== undefined && way !== undefined,
    refetchInterval: 30_000,
    retry: false,
  });
  const amount = (raw: bigint | undefined, className = "") =>
    raw === undefined || !offer ? "…" : <Amount raw={raw} asset={offer.asset} className={className} />;
  return (
    <section aria-label="Terms" className="rounded-2xl border border-line bg-surface p-5">
      <ModelPicker offers={offers} offer={offer} onOffer={onOffer} isDisabled={isBusy} />
      <div className="mt-4 space-y-4">
        <RadioRow legend="Deposit for" value={seconds} onChange={onSeconds} options={lengths} disabled={isBusy} />
        {way && wayChoices.length > 1 && (
          <div>
            <RadioRow
              legend="Paid by"
              value={way.kind}
              onChange={(kind) => onWay(wayChoices.find((known) => known.kind === kind) ?? way)}
              options={wayChoices.map(({ kind, name }) => ({ value: kind, name }))}
              disabled={isBusy}
            />
            <p className="mt-1.5 text-pretty text-soft text-xs">{way.meaning}</p>
          </div>
        )}
      </div>
      <dl className="mt-5 space-y-2 text-sm">
        <Term name="Price">{offer ? <Amount raw={offer.pricePerSecond} asset={offer.asset} per="s" /> : "…"}</Term>
        <Term name="Deposit">{amount(deposit, "font-medium")}</Term>
        <Term
          name={
            <Tooltip
              text={
                expected?.isMeasured
                  ? "Half of this provider's answers to you took less time than that."
                  : "Reckoned with ten seconds: you have no answers of this provider yet."
              }
            >
              An answer, about
            </Tooltip>
          }
        >
          {amount(offer && expected && costDown(offer.pricePerSecond, expected.ms))}
        </Term>
        <Term name={<Tooltip text={mostLost[way?.kind ?? "stream"]}>Most you can lose</Tooltip>}>
          {amount(offer && way?.worstLoss(chain, offer, seconds))}
        </Term>
        {payer && (
          <Term name="Gas to open, about">{gas === undefined ? "…" : gas === null ? "shown by your wallet" : <Amount raw={gas} />}</Term>
        )}
        {address && <Term name="In your wallet">{balance ? amount(balance.value) : "…"}</Term>}
      </dl>
      {offer && !isNative && (
        <p className="mt-3 text-pretty text-soft text-xs">
          Priced in a token: before the deposit your wallet asks once more, to let the contract take exactly that amount.
        </p>
      )}
      {address && deposit !== undefined && balance && (isNative ? balance.value <= deposit : balance.value < deposit) && (
        <div className="mt-4">
          <Notice
            tone="warn"
            title={isNative ? "The wallet holds less than the deposit and gas" : "The wallet holds less than the deposit"}
          >
            <p>Deposit for less time, or send more to it.</p>
          </Notice>
        </div>
      )}
    </section>
  );
}
