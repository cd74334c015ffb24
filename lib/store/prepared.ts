import { PGlite } from "@electric-sql/pglite";
import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { escapeLiteral, type Pool } from "pg";
import { AppError } from "../errors/index.ts";
import type { Database } from "./open.ts";

type Row = Readonly<Record<string, string | null>>;

export const dialect = new PgDialect();
/** The database keeps a plan for each; more shapes of a question than these are planned every time. */
const MOST_NAMES = 250;
const names = new Map<string, string>();
const prepared = new WeakMap<PGlite, Map<string, Promise<unknown>>>();

/**
 * The one row of a statement that gives text, planned once for each of its shapes: most of a small page's time would be its planning.
 * Outside transactions only. Throws BAD_REQUEST for a text that no database keeps.
 */
export async function runPrepared(db: Database, query: SQL): Promise<Row> {
  const { sql: text, params } = dialect.sqlToQuery(query);
  if (params.some((value) => String(value).includes("\0"))) throw new AppError("BAD_REQUEST", "No row holds a text with a NUL character.");
  const { $client: client } = db as unknown as { $client: PGlite | Pool };
  const name = nameOf(text);
  if (!(client instanceof PGlite)) {
    const { rows } = await client.query<Row>({ text, values: params, ...(name === undefined ? {} : { name }) });
    return rows[0] as Row;
  }
  if (name === undefined) return (await client.query<Row>(text, params)).rows[0] as Row;
  let known = prepared.get(client);
  if (!known) {
    known = new Map();
    prepared.set(client, known);
  }
  let ready = known.get(name);
  if (!ready) {
    const preparing = known;
    ready = client.exec(`prepare ${name} as ${text}`);
    known.set(name, ready);
    ready.catch(() => preparing.delete(name));
  }
  await ready;
  // One message instead of the five of the extended protocol, each of which crosses into the engine and back.
  const values = params.map((value) => (value === null ? "null" : escapeLiteral(String(value))));
  const [result] = await client.exec(`execute ${name}${values.length > 0 ? `(${values.join(", ")})` : ""}`);
  return result?.rows[0] as Row;
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES) return known;
  const name = `page_${names.size}`;
  names.set(text, name);
  return name;
}
