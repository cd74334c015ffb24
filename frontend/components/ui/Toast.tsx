"use client";
import { useSyncExternalStore } from "react";
import { CheckIcon } from "./icons.tsx";

const SHOWN_MS = 4000;
let text = "";
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const set = (next: string) => {
  text = next;
  for (const listener of listeners) listener();
};
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Says that something was done; what went wrong belongs beside what it went wrong with. */
export function toast(next: string): void {
  clearTimeout(timer);
  set(next);
  timer = setTimeout(() => set(""), SHOWN_MS);
}

export function Toaster() {
  const shown = useSyncExternalStore(
    subscribe,
    () => text,
    () => "",
  );
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 bottom-6 z-40 flex justify-center px-4">
      {shown && (
        <p className="rise flex items-center gap-2 rounded-full bg-ink px-4 py-2.5 text-page text-sm shadow-float">
          <CheckIcon className="size-4" /> {shown}
        </p>
      )}
    </div>
  );
}
