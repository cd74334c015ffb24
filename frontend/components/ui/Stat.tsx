import type { ReactNode } from "react";
import { Skeleton } from "./Skeleton.tsx";

/** Figures side by side on the scale of a taximeter. */
export function Stats({ children, className = "" }: { children: ReactNode; className?: string }) {
  return (
    <dl
      className={`ruler grid grid-cols-2 gap-x-6 gap-y-5 border-line border-b pb-6 sm:grid-cols-3 lg:auto-cols-fr lg:grid-flow-col lg:grid-cols-none ${className}`}
    >
      {children}
    </dl>
  );
}

/** One figure; its place is kept while it is not known. */
export function Stat({ name, children, more }: { name: string; children: ReactNode; more?: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-soft text-sm">{name}</dt>
      <dd className="mt-1 truncate font-medium text-xl tabular-nums tracking-tight">
        {children ?? <Skeleton className="mt-2 h-5 w-20" />}
      </dd>
      {more && <dd className="mt-0.5 truncate text-soft text-sm tabular-nums">{more}</dd>}
    </div>
  );
}
