"use client";
import { type MouseEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { Button } from "./Button.tsx";
import { CloseIcon } from "./icons.tsx";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Where it has a decision to offer. */
  actions?: ReactNode;
  width?: "s" | "m" | "l";
}

const widths = { s: "sm:max-w-md", m: "sm:max-w-xl", l: "sm:max-w-3xl" } as const;

/** Open as long as it is there. The browser's own dialog: it traps focus, closes on Escape and gives the focus back. */
export function Dialog({ title, onClose, children, actions, width = "m" }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // In the layout phase, since a dialog that is closed only after it was taken away gives no focus back.
  useLayoutEffect(() => {
    const shown = dialog.current;
    if (!shown?.open) shown?.showModal();
    return () => shown?.close();
  }, []);
  const onBackdrop = ({ target }: MouseEvent) => {
    if (target === dialog.current) onClose();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={onBackdrop}
      className={`sheet m-0 mt-auto max-h-[88dvh] w-full max-w-none overflow-hidden rounded-t-3xl bg-surface text-ink shadow-float backdrop:bg-scrim sm:m-auto sm:rounded-3xl ${widths[width]}`}
    >
      <div className="flex max-h-[88dvh] flex-col">
        <header className="flex items-center justify-between gap-4 px-5 pt-4 pb-2 sm:px-6">
          <h2 id={heading} className="font-semibold text-lg tracking-tight">
            {title}
          </h2>
          <Button look="bare" size="icon" className="-mr-2" onClick={onClose} aria-label="Close">
            <CloseIcon className="size-5" />
          </Button>
        </header>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section aria-labelledby={heading} tabIndex={0} className="min-h-0 overflow-y-auto overscroll-contain px-5 pb-5 sm:px-6">
          {children}
        </section>
        {actions && <footer className="flex flex-wrap justify-end gap-2 border-line border-t px-5 py-4 sm:px-6">{actions}</footer>}
      </div>
    </dialog>
  );
}
