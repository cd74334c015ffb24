/** The operators that queries are written with, so that the programs depend on one version of them. */
export { and, desc, eq, lt, sql } from "drizzle-orm";
export { type Database, openStore, type Store, type StoreOptions } from "./open.ts";
export { cursors, incomeStreams, meters, nonces, receipts, sessions } from "./schema.ts";
