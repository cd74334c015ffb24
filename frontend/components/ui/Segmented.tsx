import type { ReactNode } from "react";

interface SegmentedProps<T extends string> {
  label: string;
  options: readonly { readonly value: T; readonly name: string; readonly icon?: ReactNode }[];
  value: T;
  onPick: (value: T) => void;
}

/** One of a few, side by side; an icon stands for its name. */
export function Segmented<T extends string>({ label, options, value, onPick }: SegmentedProps<T>) {
  return (
    <fieldset className="inline-flex shrink-0 gap-1 rounded-lg bg-sunken p-1">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          aria-label={option.icon ? option.name : undefined}
          title={option.icon ? option.name : undefined}
          onClick={() => onPick(option.value)}
          className="grid h-8 min-w-8 place-items-center whitespace-nowrap rounded-md px-2 text-soft text-sm hover:text-ink aria-pressed:bg-surface aria-pressed:font-medium aria-pressed:text-ink aria-pressed:ring-1 aria-pressed:ring-line-strong"
        >
          {option.icon ?? option.name}
        </button>
      ))}
    </fieldset>
  );
}
