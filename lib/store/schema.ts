import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { hex, int8multirange, uint256 } from "./columns.ts";

const ms = (name: string) => bigint(name, { mode: "number" });

/** How far a watcher has read a chain; one row per watcher. */
export const cursors = pgTable("cursors", {
  name: text("name").primaryKey(),
  blockNumber: bigint("block_number", { mode: "bigint" }).notNull(),
  blockHash: hex("block_hash").notNull(),
});

/**
 * Provider: what was served on a stream. `servedMs` never falls; once `settledOwed` is set, nothing more is served. `counted` holds
 * the recent milliseconds (unix) that are in `servedMs`, so that overlapping answers, also of several replicas, count once.
 * `claimedMs` is the part that receipts have named; it is less only while answers run or after a crash.
 */
export const meters = pgTable(
  "meters",
  {
    chainId: integer("chain_id").notNull(),
    streamId: uint256("stream_id").notNull(),
    providerId: integer("provider_id").notNull(),
    payer: hex("payer").notNull(),
    streamStart: ms("stream_start").notNull().default(0), // unix seconds: after a reorganisation an id can belong to another stream
    ratePerSecond: uint256("rate_per_second").notNull(),
    servedMs: ms("served_ms").notNull().default(0),
    claimedMs: ms("claimed_ms").notNull().default(0),
    counted: int8multirange("counted").notNull().default("{}"),
    lastReceiptHash: hex("last_receipt_hash").notNull(),
    settledOwed: uint256("settled_owed"),
    settlementSignature: hex("settlement_signature"),
    updatedAtMs: ms("updated_at_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.chainId, table.streamId] })],
);

/** Provider: bearer tokens by their SHA-256. */
export const sessions = pgTable(
  "sessions",
  {
    tokenHash: hex("token_hash").primaryKey(),
    chainId: integer("chain_id").notNull(),
    streamId: uint256("stream_id").notNull(),
    expiresAt: ms("expires_at").notNull(), // unix seconds, chain time
    createdAtMs: ms("created_at_ms").notNull(),
  },
  (table) => [index("sessions_stream").on(table.chainId, table.streamId), index("sessions_expiry").on(table.expiresAt)],
);

/** Provider: session proofs already used. */
export const nonces = pgTable(
  "nonces",
  {
    payer: hex("payer").notNull(),
    nonce: hex("nonce").notNull(),
    expiresAt: ms("expires_at").notNull(), // unix seconds; the row may go when the proof could not be accepted any more
  },
  (table) => [primaryKey({ columns: [table.payer, table.nonce] }), index("nonces_expiry").on(table.expiresAt)],
);

/** Provider: every receipt it signed. */
export const receipts = pgTable(
  "receipts",
  {
    requestId: text("request_id").primaryKey(),
    chainId: integer("chain_id").notNull(),
    streamId: uint256("stream_id").notNull(),
    sequence: integer("sequence").notNull(), // 0, 1, 2 … on the stream
    hash: hex("hash").notNull(),
    signed: jsonb("signed").notNull(), // wire form, see protocol/receipts.ts
    createdAtMs: ms("created_at_ms").notNull(),
  },
  (table) => [index("receipts_stream").on(table.chainId, table.streamId, table.sequence)],
);

/** Provider: streams that pay us, until their money was collected. */
export const incomeStreams = pgTable(
  "income_streams",
  {
    chainId: integer("chain_id").notNull(),
    streamId: uint256("stream_id").notNull(),
    payee: hex("payee").notNull(),
    closed: boolean("closed").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.chainId, table.streamId] }), index("income_streams_open").on(table.payee, table.closed)],
);

/**
 * Provider: answers under way, where replicas share the store. Taken by the function `take_place`, which counts and inserts under one
 * lock; a replica that dies keeps its places until they expire.
 */
export const places = pgTable(
  "places",
  {
    id: text("id").primaryKey(),
    chainId: integer("chain_id").notNull(),
    providerId: integer("provider_id").notNull(),
    streamId: uint256("stream_id").notNull(),
    expiresAtMs: ms("expires_at_ms").notNull(), // by the database's clock
  },
  (table) => [index("places_offer").on(table.chainId, table.providerId), index("places_stream").on(table.chainId, table.streamId)],
);

/** Provider: up to which number the entries of the journal are in these tables; one row. */
export const journal = pgTable("journal", { id: integer("id").primaryKey(), applied: bigint("applied", { mode: "number" }).notNull() });

/** Provider: transactions signed and perhaps sent whose outcome is not known yet. The same bytes can be mined only once. */
export const outbox = pgTable(
  "outbox",
  {
    chainId: integer("chain_id").notNull(),
    sender: hex("sender").notNull(),
    nonce: integer("nonce").notNull(),
    hash: hex("hash").notNull(),
    raw: text("raw").notNull(),
    what: text("what").notNull(), // the function called, for the log
  },
  (table) => [primaryKey({ columns: [table.chainId, table.sender, table.nonce] })],
);
