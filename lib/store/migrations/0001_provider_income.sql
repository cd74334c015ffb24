CREATE TABLE "income_streams" (
	"chain_id" integer NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"payee" text NOT NULL,
	"closed" boolean DEFAULT false NOT NULL,
	CONSTRAINT "income_streams_chain_id_stream_id_pk" PRIMARY KEY("chain_id","stream_id")
);
--> statement-breakpoint
ALTER TABLE "meters" ADD COLUMN "claimed_ms" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "meters" ADD COLUMN "counted" "int8multirange" DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "income_streams_open" ON "income_streams" USING btree ("payee","closed");