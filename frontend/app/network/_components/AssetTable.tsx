"use client";
import { zeroAddress } from "viem";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { type Column, Table } from "@/components/ui/Table.tsx";
import type { AssetTotals } from "@/queries/network.ts";

const money = (head: string, pick: (totals: AssetTotals) => bigint, from?: "sm" | "md"): Column<AssetTotals> => ({
  head,
  cell: (totals) => <Amount raw={pick(totals)} asset={totals.asset} />,
  isFigure: true,
  ...(from ? { from } : {}),
});

const columns: Column<AssetTotals>[] = [
  { head: "Asset", cell: ({ asset }) => (asset === zeroAddress ? "Native coin" : <AddressText address={asset} />) },
  money("Paid in", ({ deposited }) => deposited),
  money("To providers", ({ paid }) => paid),
  money("Back", ({ refunded }) => refunded, "sm"),
  money("To keepers", ({ rewards }) => rewards, "sm"),
];

/** Where every deposit went. */
export function AssetTable({ assets }: { assets: readonly AssetTotals[] }) {
  return (
    <Panel title="Where the deposits went">
      <Table className="mt-2" caption="Where the deposits went" columns={columns} rows={assets} keyOf={({ asset }) => asset} />
    </Panel>
  );
}
