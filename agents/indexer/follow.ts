import { type Chain, type ChainClock, type ChainLogger, watchEvents } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type Database, storeError, type WriterLock } from "@clawcompute/lib/store";
import { readSurroundings } from "./surroundings.ts";
import { openWriter, type Writer } from "./writer.ts";

export interface FollowOptions {
  readonly chain: Chain;
  readonly db: Database;
  readonly lock: WriterLock;
  readonly clock: ChainClock;
  readonly signal: AbortSignal;
  readonly logger: ChainLogger;
  readonly pollMs?: number | undefined;
  /** This process has become, or is no longer, the one that writes. */
  onRole?(writing: boolean): void;
  onWritten?(written: {
    readonly events: number;
    readonly block: number;
    readonly rolledBack: boolean;
    readonly ms: number;
  }): Promise<void> | void;
}

/**
 * Waits to become the writer, then brings the chain's events into the store until the signal aborts; resolves then. When the lock is
 * lost, or somebody else has written, it goes back to waiting and starts again from what the store holds.
 */
export async function follow(options: FollowOptions): Promise<void> {
  const { lock, clock, signal, logger, onRole } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const held = await lock.acquire(signal);
      try {
        onRole?.(true);
        logger.info({}, "this process writes");
        await write(options, AbortSignal.any([signal, held.lost]));
        failures = 0;
      } finally {
        onRole?.(false);
        await held.release();
      }
      if (!signal.aborted) logger.warn({}, "this process writes no longer");
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      const error = thrown instanceof AppError ? thrown : storeError(thrown);
      logger[error.alert ? "error" : "warn"](
        { failures, code: error.code, facts: error.facts, err: error },
        "cannot become the writer for now",
      );
      await clock.sleep(Math.min(10_000, 200 * 2 ** Math.min(failures, 6)), signal).catch(() => {});
    }
  }
}

async function write(options: FollowOptions, mayWrite: AbortSignal): Promise<void> {
  const { chain, db, clock, logger, pollMs, onWritten } = options;
  const { deployBlock, contracts, chainId } = chain.network;
  const genesis = await chain.client.getBlock({ blockNumber: 0n }).catch((cause) => {
    throw new AppError("CHAIN_UNAVAILABLE", "The chain's first block cannot be read.", { cause });
  });
  const identity = [genesis.hash, contracts.registry, contracts.streamPay, contracts.paymentChannel].join(" ").toLowerCase();
  const writer = await openWriter({ db, chainId, identity, fromBlock: deployBlock });
  if (writer.startedOver) logger.warn({ chainId }, "the store held another chain's events; starting over");
  const known = await alignedMarks(writer, deployBlock);
  await onWritten?.({ events: 0, block: writer.head.blockNumber, rolledBack: writer.startedOver, ms: 0 });

  const conflict = new AbortController();
  const orStop = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (thrown) {
      // Somebody wrote, or it is not known whether we did: what the store holds decides.
      if (thrown instanceof AppError && thrown.code === "STORE_CONFLICT") conflict.abort(thrown);
      throw thrown;
    }
  };
  await watchEvents({
    chain,
    fromBlock: deployBlock,
    known,
    ...(pollMs === undefined ? {} : { pollMs }),
    clock,
    signal: AbortSignal.any([mayWrite, conflict.signal]),
    logger,
    onEvents: (events, upTo) =>
      orStop(async () => {
        const started = performance.now();
        await writer.apply(events, upTo, await readSurroundings(chain, events));
        await onWritten?.({ events: events.length, block: Number(upTo.number), rolledBack: false, ms: performance.now() - started });
      }),
    onRollback: (toBlock) =>
      orStop(async () => {
        const started = performance.now();
        await writer.rollBack(toBlock);
        await onWritten?.({ events: 0, block: Number(toBlock), rolledBack: true, ms: performance.now() - started });
      }),
  });
  if (conflict.signal.aborted) logger.warn({ code: "STORE_CONFLICT" }, "somebody else has written; going on from what is there");
}

/** The blocks to start from. The newest one must be the head: what the store holds beyond it could not be checked against the chain. */
async function alignedMarks(writer: Writer, fromBlock: bigint) {
  const known = await writer.known();
  const newest = known.at(-1)?.number ?? fromBlock - 1n;
  if (BigInt(writer.head.blockNumber) > newest) await writer.rollBack(newest);
  return known;
}
