"use client";
import { useQuery } from "@tanstack/react-query";
import { Notice } from "@/components/ui/Notice.tsx";
import { type Standing, standingQuery, useSource } from "@/queries/source.tsx";
import { atText } from "./time.ts";

const reasons: Record<(Standing & { by: "chain" })["why"], string> = {
  none: "Read straight from the chain.",
  silent: "The indexer does not answer: this is read straight from the chain, more slowly.",
  "other chain": "The indexer is of another chain: this is read straight from the chain.",
  behind: "The indexer is behind the chain: this is read straight from the chain.",
};

/** Who tells these figures, and from when on where that is not the beginning. */
export function SourceNote({ since }: { since?: number | undefined }) {
  const { data: standing } = useQuery(standingQuery(useSource()));
  if (!standing) return null;
  const text = standing.by === "indexer" ? "From the indexer, which reads every event of the contracts." : reasons[standing.why];
  if (standing.by === "chain" && standing.why !== "none") return <Notice tone="warn" title={text} />;
  return (
    <p className="text-soft text-xs">
      {text}
      {since !== undefined && ` Without an indexer only events since ${atText(since)} are read.`}
    </p>
  );
}
