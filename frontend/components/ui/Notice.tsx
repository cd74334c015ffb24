import type { ReactNode } from "react";
import { AlertIcon } from "./icons.tsx";

const tones = {
  plain: "border-line bg-surface text-ink",
  warn: "border-transparent bg-warn-soft text-warn",
  bad: "border-transparent bg-bad-soft text-bad",
} as const;

/** Something the reader should know now: what it is, and what to do about it. */
export function Notice({ tone = "plain", title, children }: { tone?: keyof typeof tones; title: string; children?: ReactNode }) {
  return (
    <div role={tone === "bad" ? "alert" : "status"} className={`flex gap-3 rounded-xl border p-4 text-sm ${tones[tone]}`}>
      {tone !== "plain" && <AlertIcon className="mt-0.5 size-4 shrink-0" />}
      <div className="min-w-0">
        <p className="font-medium">{title}</p>
        {children && <div className="mt-1 break-words text-ink">{children}</div>}
      </div>
    </div>
  );
}
