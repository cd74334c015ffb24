import { Client } from "pg";

export interface WriterLock {
  /** Resolves once this process holds the lock; rejects when the signal aborts first or the server cannot be reached. */
  acquire(signal: AbortSignal): Promise<HeldLock>;
}

export interface HeldLock {
  /** Aborts when the lock is lost: the connection that holds it broke. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

// Any number that only this purpose uses.
const LOCK_CLASS = 4_211_094;

/**
 * One holder among all processes on a PostgreSQL server, by an advisory lock on a connection of its own: it goes to the next one as
 * soon as the server sees that connection end, at the latest when it stops answering for 25 s. It saves work and decides nothing:
 * a holder that does not yet know of its loss must be stopped by what it writes. An embedded database has one process anyway.
 */
export function createWriterLock(databaseUrl: string | undefined, key: number): WriterLock {
  return { acquire: (signal) => (databaseUrl ? acquireOn(databaseUrl, key, signal) : alone()) };
}

async function alone(): Promise<HeldLock> {
  return { lost: new AbortController().signal, release: async () => {} };
}

async function acquireOn(connectionString: string, key: number, signal: AbortSignal): Promise<HeldLock> {
  signal.throwIfAborted();
  const client = new Client({
    connectionString,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    application_name: "clawcompute-indexer-writer",
    options: "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c statement_timeout=0",
  });
  const lost = new AbortController();
  const onLost = () => lost.abort(new Error("the connection that holds the writer's lock ended"));
  client.on("error", onLost);
  client.on("end", onLost);
  const giveUp = () => void client.end().catch(() => {});
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await client.connect();
    await client.query("select pg_advisory_lock($1, $2)", [LOCK_CLASS, key % 2_147_483_647]);
    signal.throwIfAborted();
  } catch (thrown) {
    await client.end().catch(() => {});
    throw signal.aborted ? signal.reason : thrown;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  return { lost: lost.signal, release: () => client.end().catch(() => {}) };
}
