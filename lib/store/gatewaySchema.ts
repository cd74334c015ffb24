import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { hex, uint256 } from "./columns.ts";

const ms = (name: string) => bigint(name, { mode: "number" });

/** Gateway: one row for each request of a client. Costs of requests that share a stream add up to what the stream was settled for. */
export const gatewayRequests = pgTable(
  "gateway_requests",
  {
    requestId: text("request_id").primaryKey(),
    chainId: integer("chain_id").notNull(),
    payer: hex("payer").notNull(),
    client: text("client").notNull(),
    route: text("route").notNull(),
    asked: text("asked").notNull(), // the model's name as the client wrote it
    startedAtMs: ms("started_at_ms").notNull(),
    endedAtMs: ms("ended_at_ms"), // null while it runs, and for ever when the process died with it
    model: text("model"),
    providerId: integer("provider_id"), // null: nobody, or the own server
    streamId: uint256("stream_id"),
    costWei: uint256("cost_wei").notNull(),
    exact: boolean("exact").notNull().default(true), // false: measured here, because no receipt came
    servedMs: ms("served_ms").notNull().default(0),
    firstTokenMs: ms("first_token_ms"),
    unitsIn: integer("units_in").notNull().default(0),
    unitsOut: integer("units_out").notNull().default(0),
    outcome: text("outcome").notNull(), // "running", "ok" or an error's code
    finishReason: text("finish_reason"),
    attempts: jsonb("attempts").notNull().default([]),
    receipt: jsonb("receipt"), // wire form, see protocol/receipts.ts
    choice: jsonb("choice"), // why this provider
  },
  (table) => [index("gateway_requests_time").on(table.payer, table.chainId, table.startedAtMs)],
);

/** Gateway: the streams that it opened. Amounts are the contract's events: paid + refunded = deposit − moved. */
export const gatewayStreams = pgTable(
  "gateway_streams",
  {
    chainId: integer("chain_id").notNull(),
    streamId: uint256("stream_id").notNull(),
    payer: hex("payer").notNull(),
    payee: hex("payee").notNull(),
    providerId: integer("provider_id").notNull(),
    model: text("model").notNull(),
    ratePerSecond: uint256("rate_per_second").notNull(),
    depositWei: uint256("deposit_wei").notNull(),
    paidWei: uint256("paid_wei"),
    refundedWei: uint256("refunded_wei"),
    servedMs: ms("served_ms"), // as settled; null: the chain's clock decided
    openedAtMs: ms("opened_at_ms").notNull(),
    endedAtMs: ms("ended_at_ms"),
    forgotten: boolean("forgotten").notNull().default(false), // found on the chain after a crash
  },
  (table) => [primaryKey({ columns: [table.chainId, table.streamId] }), index("gateway_streams_open").on(table.payer, table.endedAtMs)],
);

/** Gateway: every transaction it had mined, with its gas. */
export const gatewayTransactions = pgTable(
  "gateway_transactions",
  {
    hash: hex("hash").primaryKey(),
    chainId: integer("chain_id").notNull(),
    payer: hex("payer").notNull(),
    kind: text("kind").notNull(), // approve, open, topUp, redirect, settle, cancel, requestClose, withdraw
    streamId: uint256("stream_id").notNull(),
    blockNumber: bigint("block_number", { mode: "bigint" }).notNull(),
    gasUsed: uint256("gas_used").notNull(),
    feeWei: uint256("fee_wei").notNull(),
    atMs: ms("at_ms").notNull(),
  },
  (table) => [index("gateway_transactions_time").on(table.payer, table.chainId, table.atMs)],
);
