import { is, type SQL, sql } from "drizzle-orm";
import { PgColumn } from "drizzle-orm/pg-core";
import type { Database } from "./open.ts";
import { dialect, runPrepared } from "./prepared.ts";

/** A column, written as the wire has it, or an expression that gives JSON and is never null. */
export type JsonField = PgColumn | SQL;

/** How an item is written as JSON. */
export type PageItem<Item> = SQL & { readonly of?: Item };

/** Made once: it takes no values. */
export function pageItem<Item>(fields: { readonly [K in keyof Item]-?: JsonField }): PageItem<Item> {
  const { sql: text, params } = dialect.sqlToQuery(textOf(fields));
  if (params.length > 0) throw new Error("the fields of an item take no values");
  return sql.raw(text) as PageItem<Item>;
}

export interface ReadPage<Item> {
  readonly from: SQL;
  readonly where?: SQL | undefined;
  readonly orderBy: readonly SQL[];
  readonly item: PageItem<Item>;
  /** What the next page starts after: the sort keys of this one's last row. */
  readonly keys: readonly (PgColumn | SQL)[];
  readonly limit: number;
}

export interface PageText<Item> {
  /** The items as JSON, with commas between them. */
  readonly items: string & { readonly of?: Item };
  /** Undefined on the last page. */
  readonly lastKeys: readonly string[] | undefined;
}

/** A statement for each number of rows would be too many to prepare. */
const STEPS = [10, 50, 100, 200, 500];

/** Rows as the JSON that is served: the database writes it, because there it costs a fifth of reading them and writing it here. */
export async function readPage<Item>(db: Database, { from, where, orderBy, item, keys, limit }: ReadPage<Item>): Promise<PageText<Item>> {
  const step = STEPS.find((most) => most >= limit) ?? limit;
  const keyNames = keys.map((_, index) => sql.raw(`k${index}`));
  const columns = [sql`${item as SQL} as item`, ...keys.map((key, index) => sql`${key} as ${keyNames[index]}`)];
  const lastKeys = keyNames.map((name) => sql`(array_agg(${name}))[${limit}::int]::text`);
  const { items, last } = await runPrepared(
    db,
    sql`select array_to_string((array_agg(item))[1:${limit}::int], ',') as items,
      case when count(*) > ${limit}::int then json_build_array(${sql.join(lastKeys, sql`, `)})::text end as last
      from (select ${sql.join(columns, sql`, `)} from ${from}${where ? sql` where ${where}` : sql``}
        order by ${sql.join([...orderBy], sql`, `)} limit ${sql.raw(String(step + 1))}) page`,
  );
  return { items: items ?? "", lastKeys: last ? (JSON.parse(last) as string[]) : undefined };
}

/** An amount or id that JavaScript's numbers could not hold, as the text that it is on the wire. */
export const quoted = (value: SQL): SQL => sql`concat('"', ${value}, '"')`;

function textOf(item: Readonly<Record<string, JsonField>>): SQL {
  const pieces: (SQL | string)[] = [];
  const add = (piece: SQL | string) => {
    const before = pieces.at(-1);
    if (typeof piece === "string" && typeof before === "string") pieces[pieces.length - 1] = before + piece;
    else pieces.push(piece);
  };
  for (const [name, field] of Object.entries(item)) {
    add(`${pieces.length === 0 ? "{" : ","}"${name}":`);
    if (is(field, PgColumn)) for (const piece of piecesOf(field)) add(piece);
    else add(field as SQL);
  }
  add("}");
  const parts = pieces.map((piece) => (typeof piece === "string" ? sql.raw(`'${piece}'`) : piece));
  return sql`concat(${sql.join(parts, sql`, `)})`;
}

function piecesOf(column: PgColumn): (SQL | string)[] {
  const type = column.getSQLType();
  const value = type === "bytea" ? sql`'0x' || encode(${column}, 'hex')` : sql`${column}`;
  if (type === "boolean") return [sql`case when ${column} then 'true' else 'false' end`];
  if (column.columnType === "PgText") return column.notNull ? [sql`to_json(${column})`] : [sql`coalesce(to_json(${column})::text, 'null')`];
  const isText = type === "bytea" || type === "text" || type.startsWith("numeric") || column.columnType === "PgBigInt64";
  if (!isText) return column.notNull ? [value] : [sql`coalesce(${value}::text, 'null')`];
  return column.notNull ? ['"', value, '"'] : [sql`coalesce('"' || ${value} || '"', 'null')`];
}
