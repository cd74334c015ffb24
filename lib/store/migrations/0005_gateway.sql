CREATE TABLE "gateway_requests" (
	"request_id" text PRIMARY KEY NOT NULL,
	"chain_id" integer NOT NULL,
	"payer" text NOT NULL,
	"client" text NOT NULL,
	"route" text NOT NULL,
	"asked" text NOT NULL,
	"started_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint,
	"model" text,
	"provider_id" integer,
	"stream_id" numeric(78,0),
	"cost_wei" numeric(78,0) NOT NULL,
	"exact" boolean DEFAULT true NOT NULL,
	"served_ms" bigint DEFAULT 0 NOT NULL,
	"first_token_ms" bigint,
	"units_in" integer DEFAULT 0 NOT NULL,
	"units_out" integer DEFAULT 0 NOT NULL,
	"outcome" text NOT NULL,
	"finish_reason" text,
	"attempts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"receipt" jsonb,
	"choice" jsonb
);
--> statement-breakpoint
CREATE TABLE "gateway_streams" (
	"chain_id" integer NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"payer" text NOT NULL,
	"payee" text NOT NULL,
	"provider_id" integer NOT NULL,
	"model" text NOT NULL,
	"rate_per_second" numeric(78,0) NOT NULL,
	"deposit_wei" numeric(78,0) NOT NULL,
	"paid_wei" numeric(78,0),
	"refunded_wei" numeric(78,0),
	"served_ms" bigint,
	"opened_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint,
	"forgotten" boolean DEFAULT false NOT NULL,
	CONSTRAINT "gateway_streams_chain_id_stream_id_pk" PRIMARY KEY("chain_id","stream_id")
);
--> statement-breakpoint
CREATE TABLE "gateway_transactions" (
	"hash" text PRIMARY KEY NOT NULL,
	"chain_id" integer NOT NULL,
	"payer" text NOT NULL,
	"kind" text NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"block_number" bigint NOT NULL,
	"gas_used" numeric(78,0) NOT NULL,
	"fee_wei" numeric(78,0) NOT NULL,
	"at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "gateway_requests_time" ON "gateway_requests" USING btree ("payer","chain_id","started_at_ms");--> statement-breakpoint
CREATE INDEX "gateway_streams_open" ON "gateway_streams" USING btree ("payer","ended_at_ms");--> statement-breakpoint
CREATE INDEX "gateway_transactions_time" ON "gateway_transactions" USING btree ("payer","chain_id","at_ms");