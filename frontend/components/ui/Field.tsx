"use client";
import { type ComponentProps, type ReactNode, useId } from "react";

export const fieldClass =
  "h-10 w-full min-w-0 rounded-lg border border-line-strong bg-surface px-3 text-sm text-ink placeholder:text-soft disabled:opacity-55 aria-invalid:border-bad";

interface FieldProps {
  label: string;
  /** What to write, always shown. */
  hint?: ReactNode;
  /** Why it cannot stay so. */
  error?: string | undefined;
  /** Behind the input, such as a unit. */
  after?: ReactNode;
  className?: string;
}

/** A labelled input whose hint and error a screen reader tells with it. */
export function Field({ label, hint, error, after, className = "", ...input }: FieldProps & Omit<ComponentProps<"input">, "className">) {
  const id = useId();
  return (
    <div className={`min-w-0 ${className}`}>
      <label htmlFor={id} className="block text-sm">
        {label}
      </label>
      <div className="mt-1.5 flex items-center gap-2">
        <input
          {...input}
          id={id}
          className={fieldClass}
          aria-invalid={error ? true : undefined}
          aria-describedby={hint || error ? `${id}-more` : undefined}
        />
        {after && <span className="shrink-0 text-soft text-sm">{after}</span>}
      </div>
      {(hint || error) && (
        <p id={`${id}-more`} className={`mt-1.5 text-pretty text-xs ${error ? "text-bad" : "text-soft"}`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
