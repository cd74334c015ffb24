CREATE TABLE "outbox" (
	"chain_id" integer NOT NULL,
	"sender" text NOT NULL,
	"nonce" integer NOT NULL,
	"hash" text NOT NULL,
	"raw" text NOT NULL,
	"what" text NOT NULL,
	CONSTRAINT "outbox_chain_id_sender_nonce_pk" PRIMARY KEY("chain_id","sender","nonce")
);
--> statement-breakpoint
CREATE TABLE "places" (
	"id" text PRIMARY KEY NOT NULL,
	"chain_id" integer NOT NULL,
	"provider_id" integer NOT NULL,
	"stream_id" numeric(78,0) NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "places_offer" ON "places" USING btree ("chain_id","provider_id");--> statement-breakpoint
CREATE INDEX "places_stream" ON "places" USING btree ("chain_id","stream_id");
--> statement-breakpoint
-- Each statement of a volatile function sees what was committed before it began, so the count is made after the lock is held.
CREATE FUNCTION take_place(p_id text, p_chain integer, p_provider integer, p_stream numeric, p_size integer, p_per_stream integer, p_lease_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE now_ms bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(4211095, p_provider);
  now_ms := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  IF EXISTS (SELECT 1 FROM meters WHERE chain_id = p_chain AND stream_id = p_stream AND settled_owed IS NOT NULL) THEN RETURN 'settled'; END IF;
  DELETE FROM places WHERE chain_id = p_chain AND provider_id = p_provider AND expires_at_ms <= now_ms;
  IF (SELECT count(*) FROM places WHERE chain_id = p_chain AND stream_id = p_stream) >= p_per_stream THEN RETURN 'stream'; END IF;
  IF (SELECT count(*) FROM places WHERE chain_id = p_chain AND provider_id = p_provider) >= p_size THEN RETURN 'offer'; END IF;
  INSERT INTO places (id, chain_id, provider_id, stream_id, expires_at_ms) VALUES (p_id, p_chain, p_provider, p_stream, now_ms + p_lease_ms);
  RETURN 'taken';
END $$;
