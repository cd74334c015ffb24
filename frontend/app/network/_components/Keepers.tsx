"use client";
import { useQuery } from "@tanstack/react-query";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { EmptyState } from "@/components/ui/EmptyState.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { type Column, Table } from "@/components/ui/Table.tsx";
import { type KeeperTotals, keepersQuery } from "@/queries/network.ts";
import { useSource } from "@/queries/source.tsx";

const columns: Column<KeeperTotals>[] = [
  { head: "Keeper", cell: ({ keeper }) => <AddressText address={keeper} /> },
  { head: "Batches", cell: ({ batches }) => batches, isFigure: true },
  { head: "Streams", cell: ({ streams }) => streams, isFigure: true, from: "sm" },
  { head: "Reward", cell: ({ reward }) => <Amount raw={reward} />, isFigure: true },
  { head: "Gas", cell: ({ gasCost }) => <Amount raw={gasCost} />, isFigure: true, from: "md" },
  {
    head: "Left",
    cell: ({ reward, gasCost }) =>
      reward >= gasCost ? (
        <Amount raw={reward - gasCost} />
      ) : (
        <span className="text-soft">
          −<Amount raw={gasCost - reward} />
        </span>
      ),
    isFigure: true,
    from: "sm",
  },
];

export function Keepers() {
  const { data: keepers } = useQuery(keepersQuery(useSource()));
  return (
    <Panel title="Keepers">
      {keepers && keepers.length > 0 ? (
        <Table className="mt-2" caption="Keepers" columns={columns} rows={keepers} keyOf={({ keeper }) => keeper} />
      ) : (
        <div className="mt-4">
          <EmptyState title={keepers ? "No keeper has updated a stream yet" : "Reading what keepers did"} />
        </div>
      )}
    </Panel>
  );
}
