"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Address } from "viem";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { SourceNote } from "@/components/chain/SourceNote.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { Tabs } from "@/components/ui/Tabs.tsx";
import { walletOffersQuery } from "@/queries/offers.ts";
import { creditsQuery, incomingStreamsQuery } from "@/queries/payee.ts";
import { useSource } from "@/queries/source.tsx";
import { Earnings } from "./Earnings.tsx";
import { Income } from "./Income.tsx";
import { IncomeStats } from "./IncomeStats.tsx";
import { OwnOffers } from "./OwnOffers.tsx";
import { RegisterForm } from "./RegisterForm.tsx";

export function Console({ account }: { account: Address }) {
  const source = useSource();
  const offers = useQuery(walletOffersQuery(source.chain, account));
  const streams = useQuery(incomingStreamsQuery(source, account));
  const credits = useQuery(creditsQuery(source, account));
  const [chosen, setChosen] = useState<string>();
  const error = offers.error ?? streams.error ?? credits.error;
  const tab = chosen ?? (offers.data?.length === 0 ? "new" : "offers");
  return (
    <>
      {error && (
        <div className="mb-6">
          <ErrorNotice
            error={error}
            title={offers.data ? "The chain stopped answering; this is what it last said" : "The chain does not answer"}
          />
        </div>
      )}
      <IncomeStats offers={offers.data} streams={streams.data} credits={credits.data} />
      <div className="mt-8">
        <Tabs
          label="Provider console"
          value={tab}
          onValue={setChosen}
          tabs={[
            {
              value: "offers",
              name: `Offers${offers.data ? ` (${offers.data.length})` : ""}`,
              content: offers.data ? (
                <OwnOffers offers={offers.data} onNew={() => setChosen("new")} />
              ) : (
                <Skeleton className="h-40 w-full rounded-2xl" />
              ),
            },
            {
              value: "income",
              name: "Income",
              content: (
                <div className="space-y-6">
                  <Income account={account} streams={streams.data} credits={credits.data} />
                  {offers.data && <Earnings offers={offers.data} />}
                </div>
              ),
            },
            { value: "new", name: "New offer", content: <RegisterForm onDone={() => setChosen("offers")} /> },
          ]}
        />
      </div>
      <div className="mt-6">
        <SourceNote />
      </div>
    </>
  );
}
