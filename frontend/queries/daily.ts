import { dayText } from "@/components/chain/time.ts";
import type { Point } from "@/components/ui/Chart.tsx";

interface Dated {
  readonly day: number;
}

/** One point for each of the last `count` days, oldest first; days without rows count as nothing. */
export function daily<Row extends Dated>(rows: readonly Row[], today: number, count: number, value: (row: Row) => bigint): Point[] {
  const sums = new Map<number, bigint>();
  for (const row of rows) sums.set(row.day, (sums.get(row.day) ?? 0n) + value(row));
  return Array.from({ length: count }, (_, index) => {
    const day = today - count + 1 + index;
    return { label: dayText(day), value: sums.get(day) ?? 0n };
  });
}
