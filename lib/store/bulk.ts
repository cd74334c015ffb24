import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { getTableConfig, type PgColumn, type PgTable } from "drizzle-orm/pg-core";
import type { Database } from "./open.ts";

/** A transaction, or the database itself. */
export type Queryable = Pick<Database, "execute" | "select" | "delete" | "insert" | "update">;

type RowOf<T extends PgTable> = { readonly [K in keyof T["$inferSelect"]]: T["$inferSelect"][K] };

interface Plan {
  readonly columns: readonly (readonly [key: string, column: PgColumn])[];
  readonly target: SQL;
  readonly names: SQL;
  readonly keys: ReadonlySet<string>;
}

const plans = new WeakMap<PgTable, Plan>();
const rowsAtOnce = 5_000;

/** Inserts many rows by one parameter, whatever their number. Each row names every column. A row that exists already is an error. */
export async function insertRows<T extends PgTable>(db: Queryable, table: T, rows: readonly RowOf<T>[]): Promise<void> {
  await write(db, table, rows, sql``);
}

/** Inserts, or replaces the columns that are not part of the key; `keep` names columns that stay as they are. */
export async function replaceRows<T extends PgTable>(
  db: Queryable,
  table: T,
  rows: readonly RowOf<T>[],
  keep: readonly (keyof RowOf<T> & string)[] = [],
): Promise<void> {
  const set = changing(table, keep).map((column) => sql`${name(column)} = excluded.${name(column)}`);
  await write(db, table, rows, onConflict(table, set));
}

/** Inserts, or adds every column that is not part of the key to what is there. Negative numbers take away. */
export async function addRows<T extends PgTable>(db: Queryable, table: T, rows: readonly RowOf<T>[]): Promise<void> {
  const set = changing(table, []).map((column) => sql`${name(column)} = ${table}.${name(column)} + excluded.${name(column)}`);
  await write(db, table, rows, onConflict(table, set));
}

/** `column in (…)` by one parameter. */
export function among(column: PgColumn, values: readonly (string | number | bigint)[]): SQL {
  const list = JSON.stringify(values.map(String));
  return sql`${column} in (select value::${sql.raw(column.getSQLType())} from json_array_elements_text(${list}::json))`;
}

function planOf(table: PgTable): Plan {
  const known = plans.get(table);
  if (known) return known;
  const config = getTableConfig(table);
  const columns = Object.entries(getTableColumns(table)) as [string, PgColumn][];
  const keys = new Set([
    ...config.primaryKeys.flatMap((key) => key.columns.map((column) => column.name)),
    ...columns.filter(([, column]) => column.primary).map(([, column]) => column.name),
  ]);
  const plan = { columns, target: sql`${table}`, names: list(columns.map(([, column]) => name(column))), keys };
  plans.set(table, plan);
  return plan;
}

async function write<T extends PgTable>(db: Queryable, table: T, rows: readonly RowOf<T>[], conflict: SQL): Promise<void> {
  const { columns, target, names } = planOf(table);
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const json = JSON.stringify(rows.slice(from, from + rowsAtOnce).map((row) => wireOf(columns, row as Record<string, unknown>)));
    await db.execute(
      sql`insert into ${target} (${names}) select ${names} from json_populate_recordset(null::${target}, ${json}::json)${conflict}`,
    );
  }
}

function wireOf(columns: Plan["columns"], row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const wire: Record<string, unknown> = {};
  for (const [key, column] of columns) {
    const value = row[key];
    if (value === undefined || value === null) wire[column.name] = null;
    else if (typeof value === "bigint") wire[column.name] = value.toString();
    else if (column.getSQLType() === "bytea") wire[column.name] = `\\x${(value as string).slice(2)}`;
    else wire[column.name] = column.columnType === "PgCustomColumn" ? column.mapToDriverValue(value) : value;
  }
  return wire;
}

function changing(table: PgTable, keep: readonly string[]): PgColumn[] {
  const { columns, keys } = planOf(table);
  return columns.filter(([key, column]) => !keys.has(column.name) && !keep.includes(key)).map(([, column]) => column);
}

function onConflict(table: PgTable, set: readonly SQL[]): SQL {
  return sql` on conflict (${list([...planOf(table).keys].map((key) => sql.identifier(key)))}) do update set ${list(set)}`;
}

const name = (column: PgColumn) => sql.identifier(column.name);
const list = (parts: readonly (SQL | ReturnType<typeof sql.identifier>)[]) => sql.join([...parts], sql`, `);
