CREATE INDEX "indexer_channels_open" ON "indexer_channels" USING btree ("chain_id","opened_block","opened_log") WHERE "indexer_channels"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "indexer_providers_model_any" ON "indexer_providers" USING btree ("chain_id","model","price_per_second","id");--> statement-breakpoint
CREATE INDEX "indexer_settlements_kind" ON "indexer_settlements" USING btree ("chain_id","kind","block_number","log_index");--> statement-breakpoint
CREATE INDEX "indexer_streams_open_payer" ON "indexer_streams" USING btree ("chain_id","payer","id") WHERE "indexer_streams"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "indexer_streams_open_payee" ON "indexer_streams" USING btree ("chain_id","payee","id") WHERE "indexer_streams"."closed_at" is null;