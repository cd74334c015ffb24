"use client";
import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";

export interface Tab {
  readonly value: string;
  readonly name: string;
  readonly content: ReactNode;
}

/** Parts of a page of which one is shown. */
export function Tabs({
  label,
  tabs,
  value,
  onValue,
}: {
  label: string;
  tabs: readonly Tab[];
  value: string;
  onValue: (value: string) => void;
}) {
  return (
    <Radix.Root value={value} onValueChange={onValue}>
      <Radix.List aria-label={label} className="flex gap-1 overflow-x-auto border-line border-b">
        {tabs.map(({ value, name }) => (
          <Radix.Trigger
            key={value}
            value={value}
            className="-mb-px whitespace-nowrap border-transparent border-b-2 px-3 py-2.5 text-sm text-soft hover:text-ink data-[state=active]:border-brand data-[state=active]:font-medium data-[state=active]:text-ink"
          >
            {name}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map(({ value, content }) => (
        <Radix.Content key={value} value={value} className="pt-6">
          {content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
