ALTER TABLE "pay_transfers" ADD COLUMN "attempt" text;--> statement-breakpoint
ALTER TABLE "pay_transfers" ADD COLUMN "wallet_nonce" integer;--> statement-breakpoint
ALTER TABLE "pay_transfers" ADD COLUMN "intent" jsonb;