CREATE TABLE "cursors" (
	"name" text PRIMARY KEY NOT NULL,
	"block_number" bigint NOT NULL,
	"block_hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "meters" (
	"chain_id" integer NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"provider_id" integer NOT NULL,
	"payer" text NOT NULL,
	"rate_per_second" numeric(78,0) NOT NULL,
	"served_ms" bigint DEFAULT 0 NOT NULL,
	"last_receipt_hash" text NOT NULL,
	"settled_owed" numeric(78,0),
	"settlement_signature" text,
	"updated_at_ms" bigint NOT NULL,
	CONSTRAINT "meters_chain_id_stream_id_pk" PRIMARY KEY("chain_id","stream_id")
);
--> statement-breakpoint
CREATE TABLE "nonces" (
	"payer" text NOT NULL,
	"nonce" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "nonces_payer_nonce_pk" PRIMARY KEY("payer","nonce")
);
--> statement-breakpoint
CREATE TABLE "receipts" (
	"request_id" text PRIMARY KEY NOT NULL,
	"chain_id" integer NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"sequence" integer NOT NULL,
	"hash" text NOT NULL,
	"signed" jsonb NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"chain_id" integer NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"expires_at" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "nonces_expiry" ON "nonces" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "receipts_stream" ON "receipts" USING btree ("chain_id","stream_id","sequence");--> statement-breakpoint
CREATE INDEX "sessions_stream" ON "sessions" USING btree ("chain_id","stream_id");--> statement-breakpoint
CREATE INDEX "sessions_expiry" ON "sessions" USING btree ("expires_at");