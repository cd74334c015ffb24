import type { ReactNode } from "react";

/** Nothing is here yet: why, and what to do next. */
export function EmptyState({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div role="status" className="rounded-2xl border border-line-strong border-dashed px-6 py-10 text-center">
      {icon && <div className="mx-auto mb-3 grid size-11 place-items-center rounded-full bg-sunken text-soft">{icon}</div>}
      <p className="font-medium">{title}</p>
      {children && <div className="mx-auto mt-2 max-w-prose text-pretty text-soft text-sm">{children}</div>}
    </div>
  );
}
