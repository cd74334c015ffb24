CREATE TABLE "indexer_intervals" (
	"chain_id" bigint NOT NULL,
	"seconds" integer NOT NULL,
	"at" bigint NOT NULL,
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
	CONSTRAINT "indexer_intervals_chain_id_seconds_at_asset_pk" PRIMARY KEY("chain_id","seconds","at","asset")
);
--> statement-breakpoint
CREATE TABLE "indexer_keeper_days" (
	"chain_id" bigint NOT NULL,
	"day" integer NOT NULL,
	"keeper" text NOT NULL,
	"events" bigint NOT NULL,
	"streams" bigint NOT NULL,
	"completed" bigint NOT NULL,
	"accrued" numeric(78,0) NOT NULL,
	"reward" numeric(78,0) NOT NULL,
	"gas_wei" numeric(78,0) NOT NULL,
	CONSTRAINT "indexer_keeper_days_chain_id_keeper_day_pk" PRIMARY KEY("chain_id","keeper","day")
);
--> statement-breakpoint
CREATE INDEX "indexer_keeper_days_day" ON "indexer_keeper_days" USING btree ("chain_id","day","keeper");