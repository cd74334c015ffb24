"use client";
import { type ContractCall, streamPayWrites } from "@clawcompute/lib/chain";
import { Coins } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import type { Address } from "viem";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { ConfirmSend } from "@/components/chain/ConfirmSend.tsx";
import { MovingAmount } from "@/components/chain/MovingAmount.tsx";
import { Runway } from "@/components/chain/Runway.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { type Column, Table } from "@/components/ui/Table.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { useChainTime } from "@/hooks/useChainTime.ts";
import type { StreamEntry } from "@/queries/ledger.ts";
import type { Credit } from "@/queries/payee.ts";
import { accruedAt } from "./accrued.ts";
import { collecting, planWithdrawal } from "./planWithdrawal.ts";

interface IncomeProps {
  account: Address;
  streams: readonly StreamEntry[] | undefined;
  credits: readonly Credit[] | undefined;
}

interface Asked {
  readonly title: string;
  readonly text: string;
  readonly calls: readonly ContractCall[];
}

export function Income({ account, streams, credits }: IncomeProps) {
  const chainTime = useChainTime();
  const [asked, setAsked] = useState<Asked>();
  if (!streams || !credits) return <Skeleton className="h-40 w-full rounded-2xl" />;
  const all = planWithdrawal(account, streams, credits);

  const streamColumns: Column<StreamEntry>[] = [
    { head: "Stream", cell: ({ id }) => String(id) },
    { head: "From", cell: ({ payer }) => <AddressText address={payer} />, from: "md" },
    {
      head: "For",
      cell: ({ providerId }) =>
        providerId === 0 ? (
          <span className="text-soft">no offer</span>
        ) : (
          <Link href={`/providers/${providerId}`} className="underline underline-offset-4">
            provider {providerId}
          </Link>
        ),
      from: "sm",
    },
    {
      head: "Runs",
      cell: ({ end }) => <Runway leftMs={(now) => chainTime && end * 1000 - chainTime(now)} over="to its end" />,
      from: "sm",
    },
    {
      head: "Yours by now",
      cell: (stream) =>
        chainTime ? (
          <MovingAmount
            asset={stream.asset}
            ratePerSecond={stream.ratePerSecond}
            at={(now) => accruedAt(stream, chainTime(now))}
            unitClassName="text-[0.85em]"
          />
        ) : (
          "…"
        ),
      isFigure: true,
    },
    {
      head: "Collect",
      cell: ({ id }) => (
        <Button
          size="s"
          look="quiet"
          aria-label={`Withdraw from stream ${id}`}
          onClick={() =>
            setAsked({
              title: `Withdraw from stream ${id}`,
              text: "Everything that has accrued comes to this wallet; the stream goes on.",
              calls: [streamPayWrites.withdrawFromStream(id)],
            })
          }
        >
          Withdraw
        </Button>
      ),
      isFigure: true,
    },
  ];
  const creditColumns: Column<Credit>[] = [
    { head: "Where from", cell: ({ contract }) => (contract === "streamPay" ? "Ended or updated streams" : "Channels") },
    { head: "Amount", cell: ({ amount, asset }) => <Amount raw={amount} asset={asset} />, isFigure: true },
    {
      head: "Collect",
      cell: (credit) => (
        <Button
          size="s"
          look="quiet"
          onClick={() =>
            setAsked({ title: "Collect a credit", text: "The whole credit comes to this wallet.", calls: [collecting(credit, account)] })
          }
        >
          Collect
        </Button>
      ),
      isFigure: true,
    },
  ];
  return (
    <div className="space-y-6">
      <Panel
        title="Streams that pay you"
        side={
          streams.length + credits.length > 1 && (
            <Button
              size="s"
              onClick={() =>
                setAsked({
                  title: "Withdraw everything",
                  text:
                    streams.length > 1
                      ? `${all.calls.length} transactions, however many streams: the first credits you what ${streams.length} streams owe, with the keeper's share for yourself because you send it; then the credit is collected.`
                      : `${all.calls.length} transactions: what has accrued, then what was set aside for you.`,
                  calls: all.calls,
                })
              }
            >
              Withdraw all
            </Button>
          )
        }
      >
        {streams.length === 0 ? (
          <div className="mt-4">
            <EmptyState icon={<Coins aria-hidden="true" className="size-5" />} title="No open stream pays this wallet">
              <p>When somebody opens one, its money is yours second by second from then on.</p>
            </EmptyState>
          </div>
        ) : (
          <Table className="mt-3" caption="Streams that pay you" columns={streamColumns} rows={streams} keyOf={({ id }) => String(id)} />
        )}
      </Panel>
      {credits.length > 0 && (
        <Panel title="Set aside for you">
          <Table
            className="mt-3"
            caption="Set aside for you"
            columns={creditColumns}
            rows={credits}
            keyOf={({ contract, asset }) => `${contract} ${asset}`}
          />
        </Panel>
      )}
      {asked && (
        <ConfirmSend
          title={asked.title}
          confirm={asked.calls.length > 1 ? "Withdraw all" : "Withdraw"}
          calls={asked.calls}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setAsked(undefined);
            toast("Collected");
          }}
        >
          <p className="text-pretty text-sm">{asked.text}</p>
        </ConfirmSend>
      )}
    </div>
  );
}
