import type { ReactNode } from "react";

/** Names on the left, what they are on the right. */
export function Facts({ children, className = "" }: { children: ReactNode; className?: string }) {
  return <dl className={`divide-y divide-line text-sm ${className}`}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-6 py-2.5">
      <dt className="shrink-0 text-soft">{name}</dt>
      <dd className="min-w-0 text-right tabular-nums">{children}</dd>
    </div>
  );
}
