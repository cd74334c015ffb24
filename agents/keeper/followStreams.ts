import { join } from "node:path";
import { type Chain, watchEvents } from "@clawcompute/lib/chain";
import type { Clock, Logger, Metrics } from "@clawcompute/lib/node";
import { createOpenStreams, type OpenStream, type OpenStreams } from "./openStreams.ts";
import { loadState, saveState } from "./stateFile.ts";

export interface FollowOptions {
  readonly chain: Chain;
  /** Remembers the streams over restarts. */
  readonly folder: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The open streams by the chain's events, read from the moment that somebody asks for them. */
export interface Followed {
  /** Undefined until the events have been read up to where the chain was when they were first asked for. */
  list(): Iterable<OpenStream> | undefined;
  /** Resolves then, or when it is stopped. */
  ready(): Promise<void>;
  /** Now and then. */
  save(): void;
  /** Resolves when nothing is read any more and all is saved. */
  stopped(): Promise<void>;
}

const SAVE_EVERY_MS = 60_000;

export function followStreams({ chain, folder, clock, signal, logger, metrics }: FollowOptions): Followed {
  const { network, client } = chain;
  const block = metrics.gauge("block", "Newest block that was read");
  const path = folder && join(folder, "streams.json");
  let streams: OpenStreams | undefined;
  let genesis = "";
  let isReady = false;
  let savedAt = clock.now();
  let watching: Promise<void> | undefined;
  let becameReady = () => {};
  const ready = new Promise<void>((resolve) => {
    becameReady = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

  async function follow(): Promise<void> {
    const head = await startingPoint();
    if (head === undefined) return;
    const followed = createOpenStreams(path ? loadState(path, network, genesis) : undefined);
    streams = followed;
    const caughtUp = (to: bigint) => {
      block.set(Number(to));
      if (to < head || isReady) return;
      isReady = true;
      becameReady();
    };
    const known = followed.marks();
    const last = known.at(-1);
    logger.info({ known: followed.size(), block: last ? String(last.number) : null }, "following the streams");
    if (last) caughtUp(last.number);
    await watchEvents({
      chain,
      fromBlock: network.deployBlock,
      known,
      contracts: ["streamPay"],
      clock,
      signal,
      logger,
      onEvents: async (events, upTo) => {
        followed.apply(events, upTo);
        caughtUp(upTo.number);
      },
      onRollback: async (toBlock) => followed.rollback(toBlock),
    });
  }

  async function startingPoint(): Promise<bigint | undefined> {
    while (!signal.aborted) {
      try {
        const [head, first] = await Promise.all([client.getBlockNumber(), client.getBlock({ blockNumber: 0n })]);
        genesis = first.hash;
        return head;
      } catch (err) {
        logger.warn({ err }, "cannot follow the streams yet");
        await clock.sleep(network.blockTimeMs * 2, signal).catch(() => {});
      }
    }
    return undefined;
  }

  const start = () => {
    watching ??= follow();
  };
  const save = () => {
    if (!path || !streams || !isReady) return;
    savedAt = clock.now();
    saveState(path, network, genesis, streams.save());
  };

  return {
    list: () => {
      start();
      return isReady ? streams?.values() : undefined;
    },
    ready: () => {
      start();
      return ready;
    },
    save: () => {
      if (clock.now() - savedAt >= SAVE_EVERY_MS) save();
    },
    stopped: async () => {
      await watching;
      save();
    },
  };
}
