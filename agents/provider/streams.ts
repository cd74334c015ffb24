import { setMaxListeners } from "node:events";
import type { ChainEvent, StreamState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Logger } from "@clawcompute/lib/node";
import type { ChainTime } from "./chainTime.ts";
import type { Cover } from "./payments/cover.ts";

/** A stream that pays us, as far as the chain's events have been read. */
export interface PayingStream {
  readonly id: bigint;
  /** Newest known terms; only `end` and `status` can change. */
  readonly state: StreamState;
  /** Aborts when the stream is closed on chain. */
  readonly closed: AbortSignal;
  /** A channel or a balance: it has a meter of its own kind, not the chain's clock. */
  readonly cover?: Cover;
}

/** Live picture of the streams that callers have shown us. The chain is right about everything in it. */
export interface Streams {
  /** One that money flows on. Reads it on first use. Throws STREAM_UNKNOWN, STREAM_ENDED, or what `assertOurs` throws. */
  get(id: bigint): Promise<PayingStream>;
  /** The same, also when its deposit is used up. Still throws STREAM_ENDED when it is closed. */
  getOpen(id: bigint): Promise<PayingStream>;
  /** What the deposit still covers; 0 when the stream is closed. */
  runwayMs(stream: PayingStream): number;
  apply(events: readonly ChainEvent[]): void;
  /**
   * The events up to this block were applied. Streams that were read from a newer block than any seen before are read once more:
   * a re-organisation of blocks that the events never came from would go unnoticed.
   */
  followedTo(block: bigint): Promise<void>;
  /** Reads everything again: the blocks that it came from may be gone. */
  recheck(): Promise<void>;
}

export interface StreamsOptions {
  readonly read: (id: bigint) => Promise<StreamState>;
  /** Throws WRONG_PROVIDER for a stream that pays somebody else. */
  readonly assertOurs: (state: StreamState) => void;
  /** Asked after a stream was read. */
  readonly newestBlock: () => Promise<bigint>;
  readonly chainTime: ChainTime;
  readonly logger: Logger;
  /** How many are remembered. Default 50,000. */
  readonly capacity?: number;
}

interface Entry {
  readonly id: bigint;
  state: StreamState;
  readonly closing: AbortController;
  readonly closed: AbortSignal;
}

/** Short for unknown ones, because an endpoint may not know a stream yet that another one has shown to its payer. */
const refusedForMs: Readonly<Record<string, number>> = { STREAM_UNKNOWN: 1_000, WRONG_PROVIDER: 5_000, ASSET_MISMATCH: 5_000 };
const REFUSED = 10_000;

const closingEvents: ReadonlySet<string> = new Set(["StreamCancelled", "StreamSettled", "StreamRedirected"]);

export function createStreams({ read, assertOurs, newestBlock, chainTime, logger, capacity = 50_000 }: StreamsOptions): Streams {
  const entries = new Map<bigint, Entry>();
  /** Reads under way; one is repeated when an event overtakes it. */
  const reads = new Map<bigint, { promise: Promise<Entry>; overtaken: boolean }>();
  /** Ids that are nobody's or pay somebody else: asking again costs no read of the chain. */
  const refused = new Map<bigint, { error: AppError; untilMs: number }>();

  function refuse(id: bigint, thrown: unknown): void {
    const forMs = thrown instanceof AppError ? refusedForMs[thrown.code] : undefined;
    if (forMs === undefined) return;
    refused.delete(id);
    refused.set(id, { error: thrown as AppError, untilMs: chainTime.nowMs() + forMs });
    if (refused.size > REFUSED) refused.delete(refused.keys().next().value as bigint);
  }

  /** Read ahead of the events, from this block or an older one. */
  const ahead = new Map<Entry, bigint>();

  function close(entry: Entry, reason: string): void {
    if (entry.closing.signal.aborted) return;
    entry.state = { ...entry.state, status: "closed" };
    entry.closing.abort(new AppError("STREAM_ENDED", "The stream was ended on chain.", { facts: { streamId: String(entry.id) } }));
    logger.debug({ streamId: String(entry.id), reason }, "stream closed");
  }

  async function load(id: bigint): Promise<Entry> {
    for (;;) {
      const pending = reads.get(id) as { overtaken: boolean };
      pending.overtaken = false;
      const state = await read(id);
      const readFrom = await newestBlock();
      if (pending.overtaken) continue;
      if (state.status === "unknown") {
        throw new AppError("STREAM_UNKNOWN", "There is no such stream on the chain yet.", {
          param: "streamId",
          facts: { streamId: String(id) },
        });
      }
      const closing = new AbortController();
      setMaxListeners(0, closing.signal);
      const entry: Entry = { id, state, closing, closed: closing.signal };
      if (state.status === "closed") close(entry, "closed before it was used here");
      else assertOurs(state);
      entries.set(id, entry);
      ahead.set(entry, readFrom);
      forgetOldest();
      return entry;
    }
  }

  function forgetOldest(): void {
    for (const [id, entry] of entries) {
      if (entries.size <= capacity) return;
      if (entry.closed.aborted || isOver(entry)) entries.delete(id);
    }
  }

  function isOver(entry: Entry): boolean {
    return entry.state.status === "ended" || chainTime.nowMs() >= entry.state.end * 1000;
  }

  async function find(id: bigint, mayBeOver: boolean): Promise<PayingStream> {
    let entry = entries.get(id);
    if (!entry) {
      const known = refused.get(id);
      if (known && chainTime.nowMs() < known.untilMs) throw known.error;
      let pending = reads.get(id);
      if (!pending) {
        pending = { overtaken: false, promise: Promise.resolve().then(() => load(id)) };
        reads.set(id, pending);
        const done = () => reads.delete(id);
        pending.promise.then(done, (thrown) => {
          done();
          refuse(id, thrown);
        });
      }
      entry = await pending.promise;
    }
    if (entry.closed.aborted || (!mayBeOver && isOver(entry))) {
      throw new AppError("STREAM_ENDED", "This stream has ended.", {
        param: "streamId",
        facts: { streamId: String(id), end: entry.state.end, chainTime: chainTime.nowSeconds() },
      });
    }
    return entry;
  }

  function applyOne(event: ChainEvent): void {
    const id = event.args.id;
    if (event.contract !== "streamPay" || typeof id !== "bigint") return;
    const pending = reads.get(id);
    if (pending) pending.overtaken = true;
    refused.delete(id);
    const entry = entries.get(id);
    if (!entry) return;
    if (closingEvents.has(event.name) || (event.name === "StreamUpdated" && event.args.completed === true)) close(entry, event.name);
    else if (event.name === "StreamToppedUp") {
      // The end only ever moves on, and the entry may be newer than the event.
      entry.state = { ...entry.state, end: Math.max(entry.state.end, Number(event.args.end)) };
    }
  }

  async function readAgain(entry: Entry): Promise<void> {
    const state = await read(entry.id).catch((thrown) => {
      if (AppError.from(thrown).code !== "CHAIN_STALE") throw thrown;
      return undefined;
    });
    const gone = state === undefined || state.status === "unknown";
    const same = !gone && state.payer === entry.state.payer && state.payee === entry.state.payee && state.start === entry.state.start;
    if (same && state.status === "closed") return close(entry, "closed");
    if (same && !entry.closed.aborted) {
      entry.state = state;
      return;
    }
    // Undone, or the sources contradict each other about it. Closed blocks may have gone too: the next use reads it afresh.
    close(entry, state === undefined ? "disputed" : "reorganised");
    entries.delete(entry.id);
  }

  return {
    get: (id) => find(id, false),
    getOpen: (id) => find(id, true),
    runwayMs: (stream) => {
      if (stream.cover) return stream.cover.runwayMs();
      return stream.closed.aborted ? 0 : Math.max(0, stream.state.end * 1000 - chainTime.nowMs());
    },
    apply: (events) => events.forEach(applyOne),
    followedTo: async (block) => {
      const due = [...ahead].filter(([, readFrom]) => readFrom <= block).map(([entry]) => entry);
      await Promise.all(
        due.map(async (entry) => {
          if (entries.get(entry.id) === entry) await readAgain(entry);
          ahead.delete(entry);
        }),
      );
    },
    recheck: async () => {
      refused.clear();
      await Promise.all([...entries.values()].map(readAgain));
    },
  };
}
