import { AppError } from "@clawcompute/lib/errors";
import { type SQL, sql } from "@clawcompute/lib/store";

type Key = string | number | bigint;

/** Where a page ended: the sort keys of its last row. Opaque to clients. */
export function encodeCursor(keys: readonly Key[]): string {
  return Buffer.from(JSON.stringify(keys.map(String))).toString("base64url");
}

/** Throws BAD_REQUEST when it is not one of ours. `patterns` say what each key looks like. */
export function decodeCursor(cursor: string | undefined, patterns: readonly RegExp[]): readonly string[] | undefined {
  if (cursor === undefined) return undefined;
  let keys: unknown;
  try {
    keys = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    keys = undefined;
  }
  const fits =
    Array.isArray(keys) &&
    keys.length === patterns.length &&
    keys.every((key, index) => typeof key === "string" && patterns[index]?.test(key));
  if (!fits)
    throw new AppError("BAD_REQUEST", "cursor: is not one that this list gave.", { param: "cursor", hint: "Start without a cursor." });
  return keys as string[];
}

export const digits = /^-?\d{1,78}$/;
export const hexText = /^0x[0-9a-f]{40,64}$/;
/** Any name a stranger chose. */
export const anyText = /^[\s\S]{0,256}$/;

/** Rows after the cursor in the order of `columns`, all descending or all ascending. */
export function beyond(columns: readonly SQL[], keys: readonly string[] | undefined, order: "asc" | "desc"): SQL | undefined {
  if (!keys) return undefined;
  return sql`(${sql.join([...columns], sql`, `)}) ${sql.raw(order === "asc" ? ">" : "<")} (${sql.join(
    keys.map((key) => sql`${key}`),
    sql`, `,
  )})`;
}

/** Cuts the row that was read only to know whether there is a next page. */
export function paged<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  keysOf: (row: Row) => readonly Key[],
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next: rows.length > limit && last ? encodeCursor(keysOf(last)) : null };
}
