/** The operators that queries are written with, so that the programs depend on one version of them. */
export { and, asc, count, desc, eq, getTableColumns, gt, gte, inArray, isNotNull, isNull, lt, lte, or, type SQL, sql } from "drizzle-orm";
export type { PgColumn } from "drizzle-orm/pg-core";
export { addRows, among, insertRows, type Queryable, replaceRows } from "./bulk.ts";
export { gatewayRequests, gatewayStreams, gatewayTransactions } from "./gatewaySchema.ts";
export * from "./indexerSchema.ts";
export { type Database, openStore, type Store, type StoreOptions } from "./open.ts";
export { payAccounts, payReplays, payTransfers, type TransferIntent } from "./paymentSchema.ts";
export { type PageItem, type PageText, pageItem, quoted, readPage } from "./readPage.ts";
export { type ReadRows, readRows } from "./readRows.ts";
export { cursors, incomeStreams, meters, nonces, outbox, places, receipts, sessions } from "./schema.ts";
export { storeError } from "./storeError.ts";
export { createWriterLock, type HeldLock, type WriterLock } from "./writerLock.ts";
