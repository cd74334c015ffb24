import type { ReactNode } from "react";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  /** Figures stand on the right. */
  readonly isFigure?: boolean;
  /** Left out on narrow screens. */
  readonly from?: "sm" | "md" | "lg";
}

interface TableProps<Row> {
  /** Read by screen readers; the heading above is what others see. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  className?: string;
}

const shownFrom = { sm: "hidden sm:table-cell", md: "hidden md:table-cell", lg: "hidden lg:table-cell" } as const;

/** Rows of the same kind. Too wide for its place, it scrolls by itself and by keyboard, never the page. */
export function Table<Row>({ caption, columns, rows, keyOf, className = "" }: TableProps<Row>) {
  const place = ({ isFigure, from }: Column<Row>) => `${isFigure ? "text-right tabular-nums" : "text-left"} ${from ? shownFrom[from] : ""}`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section aria-label={`${caption}, table`} tabIndex={0} className={`relative overflow-x-auto rounded-lg ${className}`}>
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-line border-b text-soft">
            {columns.map((column) => (
              <th
                key={column.head}
                scope="col"
                className={`whitespace-nowrap px-3 py-2.5 font-normal first:pl-0 last:pr-0 ${place(column)}`}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.head} className={`whitespace-nowrap px-3 py-2.5 first:pl-0 last:pr-0 ${place(column)}`}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
