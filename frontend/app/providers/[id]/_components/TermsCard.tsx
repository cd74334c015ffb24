"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { worstCaseLoss } from "@clawcompute/lib/money";
import { zeroAddress } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { Worth } from "@/components/chain/Worth.tsx";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { useNetwork } from "@/web3/network.tsx";

/** How long a page waits for the first word, as everywhere in the market. */
const FIRST_TOKEN_MS = 30_000;

/** What opening a stream to this provider can cost at most (P3), and what is written in the contract about it. */
export function TermsCard({ offer: { pricePerSecond, asset } }: { offer: Offer }) {
  const { blockTimeMs, confirmations } = useNetwork();
  const confirmationMs = blockTimeMs * (confirmations + 1);
  const worst = worstCaseLoss(pricePerSecond, FIRST_TOKEN_MS, confirmationMs);
  return (
    <Panel title="What you agree to">
      <Facts className="mt-2">
        <Fact name="Most you can lose">
          <Amount raw={worst} asset={asset} className="font-medium" />
          {asset === zeroAddress && <Worth raw={worst} className="block" />}
        </Fact>
        <Fact name="How that is counted">
          price × ({FIRST_TOKEN_MS / 1000} s + {confirmationMs / 1000} s + 1 s)
        </Fact>
        <Fact name="A raised price">never touches an open stream</Fact>
        <Fact name="Ending">one transaction, whoever answers or not</Fact>
      </Facts>
      <p className="mt-3 text-pretty text-soft text-sm">
        The most you can lose is what a provider costs that takes the stream and never answers: {FIRST_TOKEN_MS / 1000} s until you stop
        waiting, the time of the chain to confirm the end, and a second. Name and address are the owner's own words; past payments can be
        made by the owner to itself, so trust your own experience more.
      </p>
    </Panel>
  );
}
