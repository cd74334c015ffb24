import { Skeleton } from "@/components/ui/Skeleton.tsx";
import { rowColumns } from "./rowColumns.ts";

export function OfferListSkeleton() {
  return (
    <div
      role="status"
      aria-label="Reading the providers from the chain"
      className="divide-y divide-line rounded-2xl border border-line bg-surface"
    >
      {["a", "b", "c", "d"].map((key) => (
        <div key={key} className={`space-y-3 px-5 py-5 sm:space-y-0 ${rowColumns}`}>
          <Skeleton className="h-5 w-40" />
          <Skeleton className="h-5 w-28" />
          <Skeleton className="h-5 w-24" />
          <Skeleton className="h-5 w-20" />
          <Skeleton className="h-9 w-18" />
        </div>
      ))}
    </div>
  );
}
