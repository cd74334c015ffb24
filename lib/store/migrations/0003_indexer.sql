CREATE TABLE "indexer_blocks" (
	"chain_id" bigint NOT NULL,
	"block_number" bigint NOT NULL,
	"block_hash" "bytea" NOT NULL,
	CONSTRAINT "indexer_blocks_chain_id_block_number_pk" PRIMARY KEY("chain_id","block_number")
);
--> statement-breakpoint
CREATE TABLE "indexer_channels" (
	"chain_id" bigint NOT NULL,
	"id" text NOT NULL,
	"payer" text NOT NULL,
	"payee" text NOT NULL,
	"asset" text NOT NULL,
	"authorized_signer" text NOT NULL,
	"salt" text NOT NULL,
	"deposit" numeric(78,0) NOT NULL,
	"settled" numeric(78,0) NOT NULL,
	"refunded" numeric(78,0) NOT NULL,
	"opened_at" bigint NOT NULL,
	"opened_block" bigint NOT NULL,
	"opened_log" integer NOT NULL,
	"withdrawable_at" bigint,
	"closed_at" bigint,
	CONSTRAINT "indexer_channels_chain_id_id_pk" PRIMARY KEY("chain_id","id")
);
--> statement-breakpoint
CREATE TABLE "indexer_credits" (
	"chain_id" bigint NOT NULL,
	"account" text NOT NULL,
	"contract" text NOT NULL,
	"asset" text NOT NULL,
	"added" numeric(78,0) NOT NULL,
	"withdrawn" numeric(78,0) NOT NULL,
	"events" bigint NOT NULL,
	CONSTRAINT "indexer_credits_chain_id_account_contract_asset_pk" PRIMARY KEY("chain_id","account","contract","asset")
);
--> statement-breakpoint
CREATE TABLE "indexer_days" (
	"chain_id" bigint NOT NULL,
	"day" integer NOT NULL,
	"asset" text NOT NULL,
	"events" bigint NOT NULL,
	"streams_opened" bigint NOT NULL,
	"streams_closed" bigint NOT NULL,
	"channels_opened" bigint NOT NULL,
	"channels_closed" bigint NOT NULL,
	"deposited" numeric(78,0) NOT NULL,
	"paid" numeric(78,0) NOT NULL,
	"rewards" numeric(78,0) NOT NULL,
	"refunded" numeric(78,0) NOT NULL,
	"sold_ms" numeric(78,0) NOT NULL,
	"payments" bigint NOT NULL,
	CONSTRAINT "indexer_days_chain_id_asset_day_pk" PRIMARY KEY("chain_id","asset","day")
);
--> statement-breakpoint
CREATE TABLE "indexer_events" (
	"chain_id" bigint NOT NULL,
	"block_number" bigint NOT NULL,
	"log_index" integer NOT NULL,
	"block_hash" "bytea" NOT NULL,
	"transaction_hash" "bytea" NOT NULL,
	"at" bigint NOT NULL,
	"contract" text NOT NULL,
	"name" text NOT NULL,
	"subject" text,
	"args" jsonb NOT NULL,
	CONSTRAINT "indexer_events_chain_id_block_number_log_index_pk" PRIMARY KEY("chain_id","block_number","log_index")
);
--> statement-breakpoint
CREATE TABLE "indexer_heads" (
	"chain_id" bigint PRIMARY KEY NOT NULL,
	"identity" text NOT NULL,
	"version" bigint NOT NULL,
	"block_number" bigint NOT NULL,
	"block_hash" "bytea",
	"at" bigint NOT NULL,
	"rollbacks" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "indexer_keeper_actions" (
	"chain_id" bigint NOT NULL,
	"block_number" bigint NOT NULL,
	"log_index" integer NOT NULL,
	"transaction_hash" "bytea" NOT NULL,
	"at" bigint NOT NULL,
	"keeper" text NOT NULL,
	"streams" bigint NOT NULL,
	"completed" bigint NOT NULL,
	"accrued" numeric(78,0) NOT NULL,
	"reward" numeric(78,0) NOT NULL,
	"token_rewards" jsonb NOT NULL,
	"gas_used" numeric(78,0) NOT NULL,
	"gas_price" numeric(78,0) NOT NULL,
	CONSTRAINT "indexer_keeper_actions_chain_id_block_number_log_index_pk" PRIMARY KEY("chain_id","block_number","log_index")
);
--> statement-breakpoint
CREATE TABLE "indexer_keepers" (
	"chain_id" bigint NOT NULL,
	"keeper" text NOT NULL,
	"events" bigint NOT NULL,
	"streams" bigint NOT NULL,
	"completed" bigint NOT NULL,
	"accrued" numeric(78,0) NOT NULL,
	"reward" numeric(78,0) NOT NULL,
	"gas_wei" numeric(78,0) NOT NULL,
	CONSTRAINT "indexer_keepers_chain_id_keeper_pk" PRIMARY KEY("chain_id","keeper")
);
--> statement-breakpoint
CREATE TABLE "indexer_models" (
	"chain_id" bigint NOT NULL,
	"model" text NOT NULL,
	"asset" text NOT NULL,
	"service_type" integer NOT NULL,
	"events" bigint NOT NULL,
	"active" bigint NOT NULL,
	CONSTRAINT "indexer_models_chain_id_model_asset_service_type_pk" PRIMARY KEY("chain_id","model","asset","service_type")
);
--> statement-breakpoint
CREATE TABLE "indexer_prices" (
	"chain_id" bigint NOT NULL,
	"block_number" bigint NOT NULL,
	"log_index" integer NOT NULL,
	"at" bigint NOT NULL,
	"provider_id" bigint NOT NULL,
	"model" text NOT NULL,
	"asset" text NOT NULL,
	"price_per_second" numeric(78,0) NOT NULL,
	"active" boolean NOT NULL,
	CONSTRAINT "indexer_prices_chain_id_block_number_log_index_pk" PRIMARY KEY("chain_id","block_number","log_index")
);
--> statement-breakpoint
CREATE TABLE "indexer_probes" (
	"chain_id" bigint NOT NULL,
	"provider_id" bigint NOT NULL,
	"day" integer NOT NULL,
	"probes" bigint NOT NULL,
	"answered" bigint NOT NULL,
	"latency_ms" bigint NOT NULL,
	"last_at_ms" bigint NOT NULL,
	"last_ok" boolean NOT NULL,
	"last_reason" text,
	CONSTRAINT "indexer_probes_chain_id_provider_id_day_pk" PRIMARY KEY("chain_id","provider_id","day")
);
--> statement-breakpoint
CREATE TABLE "indexer_provider_days" (
	"chain_id" bigint NOT NULL,
	"provider_id" bigint NOT NULL,
	"day" integer NOT NULL,
	"asset" text NOT NULL,
	"events" bigint NOT NULL,
	"streams_opened" bigint NOT NULL,
	"streams_closed" bigint NOT NULL,
	"channels_opened" bigint NOT NULL,
	"channels_closed" bigint NOT NULL,
	"deposited" numeric(78,0) NOT NULL,
	"paid" numeric(78,0) NOT NULL,
	"rewards" numeric(78,0) NOT NULL,
	"refunded" numeric(78,0) NOT NULL,
	"sold_ms" numeric(78,0) NOT NULL,
	"payments" bigint NOT NULL,
	CONSTRAINT "indexer_provider_days_chain_id_provider_id_day_asset_pk" PRIMARY KEY("chain_id","provider_id","day","asset")
);
--> statement-breakpoint
CREATE TABLE "indexer_providers" (
	"chain_id" bigint NOT NULL,
	"id" bigint NOT NULL,
	"owner" text NOT NULL,
	"signer" text,
	"model" text NOT NULL,
	"asset" text NOT NULL,
	"price_per_second" numeric(78,0) NOT NULL,
	"service_type" integer NOT NULL,
	"endpoint" text NOT NULL,
	"active" boolean NOT NULL,
	"registered_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	"completions" bigint NOT NULL,
	"earned" numeric(78,0) NOT NULL,
	CONSTRAINT "indexer_providers_chain_id_id_pk" PRIMARY KEY("chain_id","id")
);
--> statement-breakpoint
CREATE TABLE "indexer_settlements" (
	"chain_id" bigint NOT NULL,
	"block_number" bigint NOT NULL,
	"log_index" integer NOT NULL,
	"transaction_hash" "bytea" NOT NULL,
	"at" bigint NOT NULL,
	"kind" text NOT NULL,
	"stream_id" bigint,
	"channel_id" text,
	"provider_id" bigint NOT NULL,
	"payer" text NOT NULL,
	"payee" text NOT NULL,
	"asset" text NOT NULL,
	"paid" numeric(78,0) NOT NULL,
	"rewards" numeric(78,0) NOT NULL,
	"refunded" numeric(78,0) NOT NULL,
	CONSTRAINT "indexer_settlements_chain_id_block_number_log_index_pk" PRIMARY KEY("chain_id","block_number","log_index")
);
--> statement-breakpoint
CREATE TABLE "indexer_streams" (
	"chain_id" bigint NOT NULL,
	"id" bigint NOT NULL,
	"payer" text NOT NULL,
	"payee" text NOT NULL,
	"asset" text NOT NULL,
	"rate_per_second" numeric(78,0) NOT NULL,
	"start_at" bigint NOT NULL,
	"end_at" bigint NOT NULL,
	"last_paid" bigint NOT NULL,
	"provider_id" bigint NOT NULL,
	"service_type" integer NOT NULL,
	"paid" numeric(78,0) NOT NULL,
	"rewards" numeric(78,0) NOT NULL,
	"refunded" numeric(78,0) NOT NULL,
	"closed_at" bigint,
	"closed_how" text,
	"successor" bigint,
	CONSTRAINT "indexer_streams_chain_id_id_pk" PRIMARY KEY("chain_id","id")
);
--> statement-breakpoint
CREATE TABLE "indexer_totals" (
	"chain_id" bigint NOT NULL,
	"asset" text NOT NULL,
	"events" bigint NOT NULL,
	"streams_opened" bigint NOT NULL,
	"streams_closed" bigint NOT NULL,
	"channels_opened" bigint NOT NULL,
	"channels_closed" bigint NOT NULL,
	"deposited" numeric(78,0) NOT NULL,
	"paid" numeric(78,0) NOT NULL,
	"rewards" numeric(78,0) NOT NULL,
	"refunded" numeric(78,0) NOT NULL,
	"sold_ms" numeric(78,0) NOT NULL,
	"payments" bigint NOT NULL,
	CONSTRAINT "indexer_totals_chain_id_asset_pk" PRIMARY KEY("chain_id","asset")
);
--> statement-breakpoint
CREATE INDEX "indexer_channels_order" ON "indexer_channels" USING btree ("chain_id","opened_block","opened_log");--> statement-breakpoint
CREATE INDEX "indexer_channels_payer" ON "indexer_channels" USING btree ("chain_id","payer","opened_block","opened_log");--> statement-breakpoint
CREATE INDEX "indexer_channels_payee" ON "indexer_channels" USING btree ("chain_id","payee","opened_block","opened_log");--> statement-breakpoint
CREATE INDEX "indexer_events_subject" ON "indexer_events" USING btree ("chain_id","subject","block_number","log_index") WHERE "indexer_events"."subject" is not null;--> statement-breakpoint
CREATE INDEX "indexer_keeper_actions_keeper" ON "indexer_keeper_actions" USING btree ("chain_id","keeper","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_keepers_reward" ON "indexer_keepers" USING btree ("chain_id","reward","keeper");--> statement-breakpoint
CREATE INDEX "indexer_prices_model" ON "indexer_prices" USING btree ("chain_id","model","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_prices_provider" ON "indexer_prices" USING btree ("chain_id","provider_id","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_providers_price" ON "indexer_providers" USING btree ("chain_id","active","price_per_second","id");--> statement-breakpoint
CREATE INDEX "indexer_providers_any_price" ON "indexer_providers" USING btree ("chain_id","price_per_second","id");--> statement-breakpoint
CREATE INDEX "indexer_providers_model" ON "indexer_providers" USING btree ("chain_id","model","active","price_per_second","id");--> statement-breakpoint
CREATE INDEX "indexer_providers_owner" ON "indexer_providers" USING btree ("chain_id","owner","id");--> statement-breakpoint
CREATE INDEX "indexer_providers_earned" ON "indexer_providers" USING btree ("chain_id","earned","id");--> statement-breakpoint
CREATE INDEX "indexer_settlements_payer" ON "indexer_settlements" USING btree ("chain_id","payer","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_settlements_payee" ON "indexer_settlements" USING btree ("chain_id","payee","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_settlements_provider" ON "indexer_settlements" USING btree ("chain_id","provider_id","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_streams_payer" ON "indexer_streams" USING btree ("chain_id","payer","id");--> statement-breakpoint
CREATE INDEX "indexer_streams_payee" ON "indexer_streams" USING btree ("chain_id","payee","id");--> statement-breakpoint
CREATE INDEX "indexer_streams_provider" ON "indexer_streams" USING btree ("chain_id","provider_id","id");--> statement-breakpoint
CREATE INDEX "indexer_streams_open" ON "indexer_streams" USING btree ("chain_id","asset","id") WHERE "indexer_streams"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "indexer_streams_end" ON "indexer_streams" USING btree ("chain_id","end_at","id") WHERE "indexer_streams"."closed_at" is null;