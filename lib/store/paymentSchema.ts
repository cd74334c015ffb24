import { bigint, customType, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type { Address, Hex } from "viem";
import { hex, uint256 } from "./columns.ts";

/** What whoever comes after a crash must know to find a transfer on the chain. */
export interface TransferIntent {
  readonly asset: Address;
  /** Who paid, or is paid back. */
  readonly payer: Address;
  /** The chain's head before: nothing of this transfer is in an older block. */
  readonly sinceBlock: string;
  /** Of a payment: how it was authorized, and what a new balance is for. */
  readonly paid?: {
    readonly method: "eip3009" | "permit2";
    readonly nonce: Hex;
    readonly providerId: number;
    readonly ratePerSecond: string;
  };
}

const ms = (name: string) => bigint(name, { mode: "number" });
const blob = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => "bytea",
  fromDriver: (value) => Buffer.from(value),
});

/**
 * Provider: what pays for requests beside streams: channels, balances that were funded ahead, and channels in x402's escrow. What was
 * served on one is in `meters` under the same number. `accepted` is what may be spent: of a channel the newest voucher, of a balance what
 * was funded less what was returned. Nothing here falls but a balance's `accepted`, by refunds.
 */
export const payAccounts = pgTable(
  "pay_accounts",
  {
    chainId: integer("chain_id").notNull(),
    payment: uint256("payment").notNull(), // a channel's id, or a balance's, as a number
    kind: text("kind", { enum: ["channel", "balance", "escrow"] }).notNull(),
    providerId: integer("provider_id").notNull(),
    payer: hex("payer").notNull(),
    payee: hex("payee").notNull(),
    asset: hex("asset").notNull(),
    ratePerSecond: uint256("rate_per_second").notNull(), // fixed when first used
    salt: hex("salt"),
    authorizedSigner: hex("authorized_signer"),
    deposit: uint256("deposit").notNull(), // everything funded
    accepted: uint256("accepted").notNull(),
    voucherSignature: hex("voucher_signature"),
    settled: uint256("settled").notNull(), // of a channel on chain; of a balance what was returned; in x402's escrow at the account's begin
    state: text("state", { enum: ["open", "closing", "closed"] })
      .notNull()
      .default("open"),
    expiresAtMs: ms("expires_at_ms"), // unix ms; a balance's rest goes back then
    usedAtMs: ms("used_at_ms").notNull(), // unix ms
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.payment] }),
    index("pay_accounts_payee").on(table.chainId, table.payee, table.state, table.usedAtMs),
  ],
);

/**
 * Provider: money that came in or went back for an account, each once: what it was known by is the key. `attempt` names who is at it, as
 * long as that one has not told its payer, and after a slash the seal of the payer's secret. While `reserved`, `wallet_nonce` with
 * `transaction_hash` is the transaction that was signed for it and perhaps sent.
 */
export const payTransfers = pgTable(
  "pay_transfers",
  {
    key: text("key").primaryKey(), // such as an authorization's nonce; of a refund, its account and number
    chainId: integer("chain_id").notNull(),
    payment: uint256("payment").notNull(),
    kind: text("kind", { enum: ["funding", "refund"] }).notNull(),
    amount: uint256("amount").notNull(),
    state: text("state", { enum: ["reserved", "done", "failed"] }).notNull(),
    transactionHash: hex("transaction_hash"),
    attempt: text("attempt"),
    walletNonce: integer("wallet_nonce"),
    intent: jsonb("intent").$type<TransferIntent>(),
    createdAtMs: ms("created_at_ms").notNull(),
  },
  (table) => [index("pay_transfers_account").on(table.chainId, table.payment)],
);

/** Provider: answers kept for who asks again with the same idempotency key. `fingerprint` binds method, path, body and payer. */
export const payReplays = pgTable(
  "pay_replays",
  {
    key: text("key").primaryKey(),
    fingerprint: text("fingerprint").notNull(),
    status: integer("status"), // absent: under way
    headers: jsonb("headers").$type<Record<string, string>>(),
    body: blob("body"),
    expiresAtMs: ms("expires_at_ms").notNull(),
  },
  (table) => [index("pay_replays_expiry").on(table.expiresAtMs)],
);
