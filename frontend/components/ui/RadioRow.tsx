"use client";
import { type ReactNode, useId } from "react";

interface RadioRowProps<T extends string | number> {
  legend: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly { readonly value: T; readonly name: ReactNode }[];
  disabled?: boolean;
}

/** One of a few, all in sight, in a form. */
export function RadioRow<T extends string | number>({ legend, value, onChange, options, disabled = false }: RadioRowProps<T>) {
  const group = useId();
  return (
    <fieldset disabled={disabled}>
      <legend className="text-soft text-sm">{legend}</legend>
      <div className="mt-1.5 grid auto-cols-fr grid-flow-col gap-1 rounded-xl bg-sunken p-1">
        {options.map(({ value: option, name }) => (
          <label
            key={option}
            className="relative cursor-pointer rounded-lg px-1 py-1.5 text-center text-sm has-checked:bg-surface has-checked:font-medium has-checked:shadow-lift has-focus-visible:outline-2 has-focus-visible:outline-brand"
          >
            <input type="radio" name={group} className="sr-only" checked={option === value} onChange={() => onChange(option)} />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
