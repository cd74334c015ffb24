CREATE TABLE "journal" (
	"id" integer PRIMARY KEY NOT NULL,
	"applied" bigint NOT NULL
);
--> statement-breakpoint
-- A place is a lease of seconds: taking one does not wait for the disk.
CREATE OR REPLACE FUNCTION take_place(p_id text, p_chain integer, p_provider integer, p_stream numeric, p_size integer, p_per_stream integer, p_lease_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE now_ms bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(4211095, p_provider);
  now_ms := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  IF EXISTS (SELECT 1 FROM meters WHERE chain_id = p_chain AND stream_id = p_stream AND settled_owed IS NOT NULL) THEN RETURN 'settled'; END IF;
  DELETE FROM places WHERE chain_id = p_chain AND provider_id = p_provider AND expires_at_ms <= now_ms;
  IF (SELECT count(*) FROM places WHERE chain_id = p_chain AND stream_id = p_stream) >= p_per_stream THEN RETURN 'stream'; END IF;
  IF (SELECT count(*) FROM places WHERE chain_id = p_chain AND provider_id = p_provider) >= p_size THEN RETURN 'offer'; END IF;
  INSERT INTO places (id, chain_id, provider_id, stream_id, expires_at_ms) VALUES (p_id, p_chain, p_provider, p_stream, now_ms + p_lease_ms);
  RETURN 'taken';
END $$;
