"use client";
import Link from "next/link";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { type Column, Table } from "@/components/ui/Table.tsx";
import type { Candidate } from "@/queries/keeper.ts";

interface CandidatesProps {
  candidates: readonly Candidate[];
  chosen: ReadonlySet<bigint>;
  onChosen: (chosen: ReadonlySet<bigint>) => void;
}

export function Candidates({ candidates, chosen, onChosen }: CandidatesProps) {
  const toggle = (id: bigint) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChosen(next);
  };
  const columns: Column<Candidate>[] = [
    {
      head: "Stream",
      cell: ({ id }) => (
        <label className="flex items-center gap-2.5">
          <input type="checkbox" className="size-4 accent-brand-fill" checked={chosen.has(id)} onChange={() => toggle(id)} />
          <span>
            <span className="sr-only">Update stream </span>
            {String(id)}
          </span>
        </label>
      ),
    },
    {
      head: "Pays",
      cell: ({ payee, providerId }) =>
        providerId === 0 ? (
          <AddressText address={payee} />
        ) : (
          <Link href={`/providers/${providerId}`} className="underline underline-offset-4">
            provider {providerId}
          </Link>
        ),
      from: "sm",
    },
    { head: "State", cell: ({ completes }) => (completes ? "Run out" : <span className="text-soft">Running</span>), from: "md" },
    { head: "Owed", cell: ({ accrued, asset }) => <Amount raw={accrued} asset={asset} />, isFigure: true, from: "sm" },
    { head: "For you", cell: ({ reward, asset }) => <Amount raw={reward} asset={asset} className="font-medium" />, isFigure: true },
  ];
  return (
    <>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button size="s" look="quiet" onClick={() => onChosen(new Set(candidates.map(({ id }) => id)))}>
          Choose all
        </Button>
        <Button
          size="s"
          look="quiet"
          onClick={() => onChosen(new Set(candidates.filter(({ completes }) => completes).map(({ id }) => id)))}
        >
          Choose what ran out
        </Button>
        <Button size="s" look="bare" onClick={() => onChosen(new Set())}>
          None
        </Button>
      </div>
      <Table
        className="mt-2 max-h-[34rem] overflow-y-auto"
        caption="Streams worth an update"
        columns={columns}
        rows={candidates}
        keyOf={({ id }) => String(id)}
      />
    </>
  );
}
