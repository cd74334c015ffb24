import type { Hash } from "viem";
import type { Contracts } from "../config/network.ts";
import { AppError } from "../errors/index.ts";
import { createBlockRange } from "./blockRange.ts";
import type { Chain } from "./connect.ts";
import { type ChainEvent, decodeLogs } from "./decodeLogs.ts";
import type { ChainClock, ChainLogger } from "./ports.ts";
import { reading } from "./reading.ts";
import { decodeRevert } from "./reverts.ts";
import { wakeOnHeads } from "./wakeOnHeads.ts";
import { type BlockMark, findCommonAncestor, type Header, readHeader } from "./watchHeaders.ts";

export type { ChainEvent } from "./decodeLogs.ts";

export interface WatchedTo {
  readonly number: bigint;
  readonly hash: Hash;
  readonly timestampMs: number;
}

export interface WatchOptions {
  readonly chain: Chain;
  /** The first block of interest, whether or not it was read before. */
  readonly fromBlock: bigint;
  /** Blocks that the caller has read already, oldest first: it goes on after the last one, and notices what was reorganised meanwhile. */
  readonly known?: readonly BlockMark[];
  /** Default half a block, at most 2 s. A network with a WebSocket URL is asked at once for each block that is announced there. */
  readonly pollMs?: number;
  readonly clock: ChainClock;
  readonly signal: AbortSignal;
  readonly logger: ChainLogger;
  /** All events after the last call up to and with block `upTo`, in order, also when there are none. When it throws, the same comes again. */
  onEvents(events: ChainEvent[], upTo: WatchedTo): Promise<void>;
  /** Forget everything after `toBlock`, which is `fromBlock - 1` when nothing is left. */
  onRollback(toBlock: bigint): Promise<void>;
  readonly contracts?: readonly (keyof Contracts)[];
  /** How many recent blocks are remembered to find the common ancestor. Default 64. */
  readonly depth?: number;
}

/** Blocks asked for at once near the head, where each is asked for by its hash. */
const headersAtOnce = 16;
/** Few at first: how many events they hold is not known. */
const firstRange = 16n;
/** An answer with more takes long and much memory, here and at the endpoint: fewer blocks the next time. */
const manyEvents = 8_000;

/**
 * Follows the contracts' events until the signal aborts; resolves then. Old blocks are read by ranges that adapt to what the
 * endpoint allows; the last `depth` blocks one by one, by hash, so that an endpoint that lags says so instead of answering
 * "no events". A dropped connection or an endpoint that is wrong only delays it: the gap is read afterwards.
 */
export async function watchEvents(options: WatchOptions): Promise<void> {
  const { chain, clock, signal, logger } = options;
  const pollMs = options.pollMs ?? Math.min(2_000, Math.max(100, Math.floor(chain.network.blockTimeMs / 2)));
  const step = createWatcher(options);
  let failures = 0;
  let rung = false;
  let stopWaiting = () => {};
  const wake = () => {
    rung = true;
    stopWaiting();
  };
  if (chain.network.wsUrl !== undefined) wakeOnHeads({ wsUrl: chain.network.wsUrl, wake, clock, signal, logger });
  while (!signal.aborted) {
    let behind = false;
    rung = false;
    try {
      behind = await step();
      if (failures > 0) logger.info({ failures }, "the chain is being followed again");
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      const error = decodeRevert(thrown);
      const record = { failures, code: error.code, facts: error.facts, err: error };
      if (error.alert) logger.error(record, "cannot follow the chain");
      else logger[failures === 1 || failures % 20 === 0 ? "warn" : "debug"](record, "cannot follow the chain for now");
    }
    const wait = failures === 0 ? pollMs : Math.min(10_000, pollMs * 2 ** Math.min(failures - 1, 6));
    if (behind || (rung && failures === 0)) continue;
    const woken = new Promise<void>((resolve) => {
      stopWaiting = failures === 0 ? resolve : () => {};
    });
    await Promise.race([clock.sleep(wait, signal).catch(() => {}), woken]);
  }
}

/** One step handles at most one range; it returns true when there is more to read at once. */
function createWatcher(options: WatchOptions): () => Promise<boolean> {
  const { chain, fromBlock, onEvents, onRollback, logger, signal, depth = 64 } = options;
  const contracts = options.contracts ?? (["registry", "streamPay", "paymentChannel"] as const);
  const addresses = contracts.map((contract) => chain.network.contracts[contract]);
  const marks: BlockMark[] = [...(options.known ?? [])];
  const range = createBlockRange(firstRange);
  let genesis: Hash | undefined;
  let nearAtOnce = headersAtOnce;

  const next = () => (marks.at(-1)?.number ?? fromBlock - 1n) + 1n;

  async function rollBack(): Promise<void> {
    const ancestor = await findCommonAncestor(chain, marks);
    const toBlock = ancestor ?? fromBlock - 1n;
    logger.warn({ toBlock: String(toBlock), known: ancestor !== undefined }, "the chain was reorganised; rolling back");
    // Forgotten only afterwards: a rollback that fails is found, and tried, again.
    await onRollback(toBlock);
    while (marks.length > 0 && (ancestor === undefined || (marks.at(-1) as BlockMark).number > ancestor)) marks.pop();
  }

  async function deliver(events: ChainEvent[], headers: readonly Header[]): Promise<void> {
    const last = headers.at(-1) as Header;
    if (signal.aborted) return;
    await onEvents(events, { number: last.number, hash: last.hash, timestampMs: Number(last.timestamp) * 1000 });
    marks.push(...headers.map(({ number, hash }) => ({ number, hash })));
    if (marks.length > depth) marks.splice(0, marks.length - depth);
  }

  async function readFar(from: bigint, to: bigint): Promise<void> {
    try {
      const [logs, header] = await Promise.all([
        reading(() => chain.client.getLogs({ address: [...addresses], fromBlock: from, toBlock: to })),
        readHeader(chain, to),
      ]);
      const mixed = logs.find((log) => log.blockNumber === to && log.blockHash !== header.hash);
      if (mixed) throw stale("the events of a block are not those of its header", to);
      await deliver(decodeLogs(chain.network.contracts, contracts, logs), [header]);
      if (logs.length > manyEvents) range.failed();
      else range.accepted(to - from + 1n);
    } catch (thrown) {
      const error = decodeRevert(thrown);
      // An endpoint that answers, but with a refusal, most likely found the range too large: no reason to wait.
      if (from === to || error.code !== "CHAIN_UNAVAILABLE" || error.facts.rpcCode === undefined) {
        range.failed();
        throw thrown;
      }
      range.refused(to - from + 1n);
      logger.debug({ range: String(range.size), facts: error.facts }, "asking for fewer blocks at once");
    }
  }

  async function readNear(from: bigint, to: bigint): Promise<boolean> {
    const numbers = Array.from({ length: Number(to - from) + 1 }, (_, index) => from + BigInt(index));
    const headers = await Promise.all(numbers.map((number) => readHeader(chain, number)));
    const parent = marks.at(-1);
    if (parent && parent.number === from - 1n && headers[0]?.parentHash !== parent.hash) {
      await rollBack();
      return true;
    }
    const broken = headers.find((header, index) => index > 0 && header.parentHash !== headers[index - 1]?.hash);
    if (broken) throw stale("the blocks of one answer do not follow each other", broken.number);
    const logs = await Promise.all(
      headers.map((header) => reading(() => chain.client.getLogs({ address: [...addresses], blockHash: header.hash }))),
    ).catch((thrown) => {
      // Perhaps too much for one answer: fewer the next time.
      nearAtOnce = Math.max(1, nearAtOnce >> 1);
      throw thrown;
    });
    nearAtOnce = Math.min(headersAtOnce, nearAtOnce * 2);
    const times = new Map(headers.map((header) => [header.hash, Number(header.timestamp)]));
    await deliver(decodeLogs(chain.network.contracts, contracts, logs.flat(), times), headers);
    return false;
  }

  return async () => {
    const head = await readHeader(chain, undefined);
    genesis ??= await readHeader(chain, 0n).then(
      ({ hash }) => hash,
      () => undefined,
    );
    const [oldest, tip] = [marks[0], marks.at(-1)];
    if (oldest && tip && head.number <= tip.number) {
      // A head that was seen is nothing new, and an older one only an endpoint that lags, unless it is on another chain altogether.
      const seen = head.number < oldest.number ? { hash: genesis } : marks.find((mark) => mark.number === head.number);
      const now = head.number < oldest.number ? await readHeader(chain, 0n) : head;
      if (seen?.hash === undefined || seen.hash === now.hash) return false;
      genesis = undefined;
      await rollBack();
      return true;
    }
    const from = next();
    if (head.number < from) return false;
    const near = head.number - BigInt(depth) + 1n;
    if (from < near) {
      const end = from + range.size - 1n;
      await readFar(from, end < near ? end : near - 1n);
      return true;
    }
    const end = from + BigInt(nearAtOnce) - 1n;
    const again = await readNear(from, end < head.number ? end : head.number);
    return again || end < head.number;
  };
}

function stale(reason: string, block: bigint): AppError {
  return new AppError("CHAIN_STALE", `An RPC endpoint contradicts itself: ${reason}.`, { facts: { block: String(block) } });
}
