export { type Database, openStore, type Store, type StoreOptions } from "./open.ts";
export { cursors, meters, nonces, receipts, sessions } from "./schema.ts";
