"use client";
import { useQuery } from "@tanstack/react-query";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { TxLink } from "@/components/chain/TxLink.tsx";
import { atText } from "@/components/chain/time.ts";
import { Panel } from "@/components/ui/Panel.tsx";
import { type Column, Table } from "@/components/ui/Table.tsx";
import { type KeeperAction, keeperActionsQuery } from "@/queries/network.ts";
import { useSource } from "@/queries/source.tsx";

const columns: Column<KeeperAction>[] = [
  { head: "When", cell: ({ at }) => atText(at) },
  { head: "Keeper", cell: ({ keeper }) => <AddressText address={keeper} />, from: "sm" },
  { head: "Streams", cell: ({ streams }) => streams, isFigure: true, from: "sm" },
  { head: "Run out", cell: ({ completed }) => completed, isFigure: true, from: "md" },
  { head: "Reward", cell: ({ reward }) => <Amount raw={reward} />, isFigure: true },
  { head: "Gas", cell: ({ gasCost }) => <Amount raw={gasCost} />, isFigure: true, from: "md" },
  { head: "Transaction", cell: ({ hash }) => <TxLink hash={hash} />, isFigure: true, from: "lg" },
];

/** What keepers did lately. */
export function RecentBatches() {
  const { data: actions } = useQuery(keeperActionsQuery(useSource()));
  if (!actions || actions.length === 0) return null;
  return (
    <Panel title="What keepers did lately">
      <Table className="mt-2" caption="What keepers did lately" columns={columns} rows={actions.slice(0, 20)} keyOf={({ hash }) => hash} />
    </Panel>
  );
}
