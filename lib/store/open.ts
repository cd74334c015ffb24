import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { drizzle as drizzleServer } from "drizzle-orm/node-postgres";
import { migrate as migrateServer } from "drizzle-orm/node-postgres/migrator";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as drizzleEmbedded } from "drizzle-orm/pglite";
import { migrate as migrateEmbedded } from "drizzle-orm/pglite/migrator";
import { Pool } from "pg";
import { AppError } from "../errors/index.ts";
import * as gatewaySchema from "./gatewaySchema.ts";
import * as indexerSchema from "./indexerSchema.ts";
import * as paymentSchema from "./paymentSchema.ts";
import { openProviderJournal, type ProviderJournal } from "./providerJournal.ts";
import * as providerSchema from "./schema.ts";

const schema = { ...providerSchema, ...indexerSchema, ...gatewaySchema, ...paymentSchema };
const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/** The same queries run on the embedded engine and on a PostgreSQL server. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface Store {
  readonly db: Database;
  /** "embedded" belongs to one process; "server" may be shared by replicas. */
  readonly kind: "embedded" | "server";
  /** Of the embedded one: what a provider keeps at once and puts into the tables later. Whoever opens the store finds it there. */
  readonly journal?: ProviderJournal | undefined;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** postgres://… ; takes precedence. */
  readonly databaseUrl?: string | undefined;
  /** Folder of the embedded database; absent = in memory. */
  readonly folder?: string | undefined;
}

/** Opens the store and brings its tables up to date. Throws CONFIG_INVALID when it cannot be opened. */
export async function openStore({ databaseUrl, folder }: StoreOptions): Promise<Store> {
  try {
    return databaseUrl ? await openServer(databaseUrl) : await openEmbedded(folder);
  } catch (cause) {
    const what = databaseUrl ? "the PostgreSQL server of DATABASE_URL" : `the embedded database${folder ? ` in ${folder}` : ""}`;
    throw new AppError("CONFIG_INVALID", `Could not open ${what}.`, {
      cause,
      hint: databaseUrl
        ? "Check that the server runs and that the user may create tables."
        : "Another process may be using the folder; give each process its own.",
    });
  }
}

async function openEmbedded(folder: string | undefined): Promise<Store> {
  if (folder) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const client = await PGlite.create(folder ? { dataDir: folder } : {});
  const db = drizzleEmbedded({ client, schema });
  await migrateEmbedded(db, { migrationsFolder });
  const journal = await openProviderJournal(db as unknown as Database, folder && join(folder, "clawcompute.journal"));
  const close = () => journal.close().finally(() => client.close());
  return { db: db as unknown as Database, kind: "embedded", journal, close };
}

// Any number that only this purpose uses: replicas that start together migrate one after another.
const MIGRATION_LOCK = 4_211_093;

async function openServer(connectionString: string): Promise<Store> {
  const pool = new Pool({ connectionString, max: 10, connectionTimeoutMillis: 5_000, idleTimeoutMillis: 30_000 });
  // An idle connection that the server closes must not end the process; the next query takes a new one.
  pool.on("error", () => {});
  const db = drizzleServer({ client: pool, schema });
  const lock = await pool.connect();
  try {
    await lock.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await migrateServer(db, { migrationsFolder });
  } catch (error) {
    await pool.end().catch(() => {});
    throw error;
  } finally {
    await lock.query("select pg_advisory_unlock($1)", [MIGRATION_LOCK]).catch(() => {});
    lock.release();
  }
  return { db: db as unknown as Database, kind: "server", close: () => pool.end() };
}
