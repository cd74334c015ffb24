import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";

export interface Option {
  readonly value: string;
  readonly name: string;
}

interface SelectProps extends Omit<ComponentProps<"select">, "onChange" | "children"> {
  options: readonly Option[];
  onPick: (value: string) => void;
}

/** The system's own list of choices, which every phone and screen reader knows how to show. */
export function Select({ options, onPick, className = "", ...rest }: SelectProps) {
  return (
    <span className={`relative inline-flex min-w-0 ${className}`}>
      <select
        {...rest}
        onChange={({ target }) => onPick(target.value)}
        className="h-10 w-full min-w-0 appearance-none truncate rounded-lg border border-line-strong bg-surface pr-9 pl-3 text-ink text-sm disabled:opacity-55"
      >
        {options.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden="true" className="pointer-events-none absolute top-3 right-2.5 size-4 text-soft" />
    </span>
  );
}
