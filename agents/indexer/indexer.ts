import { type Chain, type ChainLogger, chainTimeMs, connectChain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  createDialer,
  createMetrics,
  createShutdown,
  type Listening,
  type Logger,
  listen,
  runLoop,
  type Shutdown,
  systemClock,
} from "@clawcompute/lib/node";
import { createWriterLock, openStore, type Store, storeError } from "@clawcompute/lib/store";
// The one guarded way to a stranger's URL.
import { createIndexerApp } from "./app.ts";
import type { IndexerConfig } from "./config.ts";
import { follow } from "./follow.ts";
import { trackHead } from "./head.ts";
import { createProber } from "./probe.ts";
import { createTidying } from "./tidy.ts";

export interface RunningIndexer {
  readonly url: string;
  readonly shutdown: Shutdown;
  health(): IndexerAnswer<"health">;
}

export interface RunOptions {
  readonly config: IndexerConfig;
  readonly logger: Logger;
}

type Role = IndexerAnswer<"health">["role"];

/** Opens the store, serves the API at once, and follows the chain as soon as this process may write. The chain may come later. */
export async function runIndexer({ config, logger }: RunOptions): Promise<RunningIndexer> {
  const { network } = config;
  const { chainId } = network;
  const shutdown = createShutdown(logger);
  const { signal } = shutdown;
  const clock = systemClock;
  const metrics = createMetrics("indexer");
  const gauges = {
    block: metrics.gauge("block", "Newest block in the store"),
    lag: metrics.gauge("lag_blocks", "Blocks that the store is behind the chain"),
    tidying: metrics.gauge("tidying", "1 while the database looks at how large its tables have become"),
    writing: metrics.gauge("writing", "1 while this process is the one that writes"),
  };
  const events = metrics.counter("events_total", "Events written");
  const rollbacks = metrics.counter("rollbacks_total", "Times that blocks were taken back");
  const writes = metrics.histogram("write_seconds", "Time to write a range of blocks");

  try {
    const store: Store = await openStore({ databaseUrl: config.databaseUrl, folder: config.folder });
    shutdown.onStop("store", () => store.close());
    const chain = connectChain(network);
    const heads = trackHead(store.db, chainId);
    await heads.refresh();
    const background: Promise<void>[] = [];
    shutdown.onStop("background work", async () => void (await Promise.all(background)));

    let role: Role = config.readOnly ? "reader" : "waiting";
    let chainHead: { block: number; atMs: number } | undefined;
    let storeOk = true;
    const health = (): IndexerAnswer<"health"> => {
      const head = heads.current();
      const lagBlocks = chainHead ? Math.max(0, chainHead.block - Math.max(0, head.blockNumber)) : null;
      const lagMs = chainHead ? Math.max(0, lagBlocks === 0 ? 0 : chainHead.atMs - head.at * 1000) : null;
      const status = !storeOk || lagBlocks === null ? "degraded" : lagBlocks > config.maxLagBlocks ? "syncing" : "ok";
      const place = { block: Math.max(0, head.blockNumber), at: head.at, chainBlock: chainHead?.block ?? null, lagBlocks, lagMs };
      return { status, role, store: store.kind, chainId, ...place, rollbacks: head.rollbacks };
    };
    const assertReady = async () => {
      await heads.refresh();
      const { lagBlocks, chainBlock } = health();
      if (heads.current().version < 0) throw new AppError("CHAIN_STALE", "Nothing was indexed yet.");
      if (lagBlocks !== null && lagBlocks > config.maxLagBlocks) {
        throw new AppError("CHAIN_STALE", `The index is ${lagBlocks} blocks behind.`, { facts: { lagBlocks, chainBlock } });
      }
    };

    const app = createIndexerApp({
      db: store.db,
      chainId,
      heads,
      health,
      assertReady,
      logger,
      metrics,
      corsOrigin: config.corsOrigin,
      signal,
    });
    const listening: Listening = await listen(app, { port: config.port, host: config.host });
    shutdown.onStop("server", () => listening.close());

    const every = (name: string, everyMs: number, step: (signal: AbortSignal) => Promise<void>) =>
      background.push(runLoop({ name, everyMs, clock, signal, logger, maxBackoffMs: 5_000 }, step));
    every("head of the store", 500, async () => {
      try {
        gauges.block.set((await heads.refresh()).blockNumber);
        storeOk = true;
      } catch (thrown) {
        storeOk = false;
        throw thrown;
      }
    });
    every("head of the chain", Math.max(500, Math.min(2_000, network.blockTimeMs)), async () => {
      chainHead = await readChainHead(chain).catch((thrown) => {
        chainHead = undefined;
        throw thrown;
      });
      gauges.lag.set(health().lagBlocks ?? -1);
    });
    if (!config.readOnly) {
      const lock = createWriterLock(config.databaseUrl, chainId);
      const tidy = createTidying(store, chainId);
      const onRole = (writing: boolean) => {
        role = writing ? "writer" : "waiting";
        gauges.writing.set(writing ? 1 : 0);
      };
      const onWritten: Parameters<typeof follow>[0]["onWritten"] = async (written) => {
        events.inc(written.events);
        if (written.rolledBack) rollbacks.inc();
        writes.observe(written.ms / 1000);
        logger.debug(written, "written");
        await heads.refresh().catch(() => {});
        const idle = chainHead !== undefined && written.block >= chainHead.block;
        gauges.tidying.set(1);
        await tidy(written.events, idle).catch((err) => logger.warn({ err: storeError(err) }, "the tables could not be tidied"));
        gauges.tidying.set(0);
      };
      background.push(
        follow({ chain, db: store.db, lock, clock, signal, logger: logger as ChainLogger, pollMs: config.pollMs, onRole, onWritten }),
      );
      if (config.probeSeconds > 0) {
        const dialer = createDialer({ allowPrivate: config.allowPrivate });
        shutdown.onStop("probes", () => dialer.close());
        const probe = createProber({
          db: store.db,
          chainId,
          request: dialer.request,
          clock,
          everyMs: config.probeSeconds * 1000,
          atOnce: config.probesPerSecond,
        });
        every("probes", 1_000, async (loopSignal) => {
          if (role !== "writer") return;
          await probe(loopSignal).catch((thrown) => {
            throw storeError(thrown);
          });
        });
      }
    }
    logger.info({ url: listening.url, chainId, store: store.kind, role }, `ready: indexer of chain ${network.name} at ${listening.url}`);
    return { url: listening.url, shutdown, health };
  } catch (thrown) {
    await shutdown.stop("it could not start");
    throw thrown;
  }
}

async function readChainHead(chain: Chain): Promise<{ block: number; atMs: number }> {
  const [block, atMs] = await Promise.all([chain.client.getBlockNumber(), chainTimeMs(chain)]).catch((cause) => {
    throw new AppError("CHAIN_UNAVAILABLE", "The chain's newest block cannot be read.", { cause });
  });
  return { block: Number(block), atMs };
}
