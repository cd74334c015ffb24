import { type ReactNode, useId } from "react";

interface PanelProps {
  title: string;
  /** On the right of the title. */
  side?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A titled part of a page on its own sheet. */
export function Panel({ title, side, className = "", children }: PanelProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`min-w-0 rounded-2xl border border-line bg-surface p-5 ${className}`}>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id={id} className="font-medium">
          {title}
        </h2>
        {side}
      </div>
      {children}
    </section>
  );
}
