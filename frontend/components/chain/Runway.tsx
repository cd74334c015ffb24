"use client";
import { useEffect, useState } from "react";

/** How long it lasts, and when that is: seconds below an hour, then coarser. */
export function Runway({ leftMs, over = "It has run out" }: { leftMs: (now: number) => number | undefined; over?: string }) {
  const [now, setNow] = useState(0);
  useEffect(() => {
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const left = now > 0 ? leftMs(now) : undefined;
  if (left === undefined) return <span>…</span>;
  if (left <= 0) return <span className="text-bad">{over}</span>;
  const ends = new Date(Date.now() + left);
  return (
    <span
      className={`tabular-nums ${left < 15_000 ? "text-bad" : ""}`}
      title={`until ${ends.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" })}`}
    >
      {inWords(left)}
    </span>
  );
}

export function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours} h ${Math.floor((seconds % 3600) / 60)} min` : `${Math.floor(hours / 24)} days`;
}
