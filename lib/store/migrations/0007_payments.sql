CREATE TABLE "pay_accounts" (
	"chain_id" integer NOT NULL,
	"payment" numeric(78,0) NOT NULL,
	"kind" text NOT NULL,
	"provider_id" integer NOT NULL,
	"payer" text NOT NULL,
	"payee" text NOT NULL,
	"asset" text NOT NULL,
	"rate_per_second" numeric(78,0) NOT NULL,
	"salt" text,
	"authorized_signer" text,
	"deposit" numeric(78,0) NOT NULL,
	"accepted" numeric(78,0) NOT NULL,
	"voucher_signature" text,
	"settled" numeric(78,0) NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"expires_at_ms" bigint,
	"used_at_ms" bigint NOT NULL,
	CONSTRAINT "pay_accounts_chain_id_payment_pk" PRIMARY KEY("chain_id","payment")
);
--> statement-breakpoint
CREATE TABLE "pay_replays" (
	"key" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"status" integer,
	"headers" jsonb,
	"body" "bytea",
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pay_transfers" (
	"key" text PRIMARY KEY NOT NULL,
	"chain_id" integer NOT NULL,
	"payment" numeric(78,0) NOT NULL,
	"kind" text NOT NULL,
	"amount" numeric(78,0) NOT NULL,
	"state" text NOT NULL,
	"transaction_hash" text,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "pay_accounts_payee" ON "pay_accounts" USING btree ("chain_id","payee","state","used_at_ms");--> statement-breakpoint
CREATE INDEX "pay_replays_expiry" ON "pay_replays" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "pay_transfers_account" ON "pay_transfers" USING btree ("chain_id","payment");