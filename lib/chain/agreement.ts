import type { Hash } from "viem";
import type { Contracts } from "../config/network.ts";
import { AppError, type Facts } from "../errors/index.ts";
import type { Chain } from "./connect.ts";
import type { ChainClock, ChainLogger } from "./ports.ts";
import { reading } from "./reading.ts";
import { decodeRevert } from "./reverts.ts";
import { readStream, type StreamState } from "./streams.ts";

export interface AgreementOptions {
  readonly chain: Chain;
  readonly everyMs: number;
  readonly clock: ChainClock;
  readonly signal: AbortSignal;
  readonly logger: ChainLogger;
  /** How far one endpoint's newest block may be behind another's. Default 5 s, at least ten blocks. */
  readonly toleranceMs?: number;
  readonly contract: keyof Contracts;
  /** The reason while they disagree, undefined when they agree again. Called when that changes. */
  onChange(disagreement: Facts | undefined): Promise<void> | void;
}

/** Blocks whose events are compared at once. */
const atOnce = 200n;

/**
 * Compares what the RPC endpoints say of the newest blocks and of our contract's events in them, until the signal aborts. An endpoint
 * that does not answer takes no part: that is not a contradiction. With one endpoint there is nothing to compare.
 */
export async function watchAgreement(options: AgreementOptions): Promise<void> {
  const { chain, everyMs, clock, signal, logger, onChange } = options;
  if (chain.endpoints.length < 2) return;
  const compare = createComparison(options);
  let known: string | undefined;
  while (!signal.aborted) {
    try {
      const found = await compare();
      const reason = found && String(found.reason);
      if (reason !== known) {
        if (found) logger.warn({ ...found }, "the RPC endpoints disagree");
        else logger.info({}, "the RPC endpoints agree again");
        await onChange(found);
        known = reason;
      }
    } catch (thrown) {
      if (signal.aborted) return;
      logger.debug({ code: decodeRevert(thrown).code }, "the RPC endpoints could not be compared");
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}

function createComparison({ chain, contract, toleranceMs }: AgreementOptions): () => Promise<Facts | undefined> {
  const { endpoints, network } = chain;
  const tolerance = toleranceMs ?? Math.max(5_000, 10 * network.blockTimeMs);
  const address = network.contracts[contract];
  let compared: bigint | undefined;

  return async (): Promise<Facts | undefined> => {
    const heads = answered(await Promise.allSettled(endpoints.map(async (endpoint) => ({ endpoint, block: await endpoint.getBlock() }))));
    if (heads.length < 2) return undefined;
    const times = heads.map(({ block }) => Number(block.timestamp) * 1000);
    const lagMs = Math.max(...times) - Math.min(...times);
    const lowest = heads.reduce((low, { block }) => (block.number < low ? block.number : low), heads[0]?.block.number ?? 0n);
    const shared = answered(
      await Promise.allSettled(
        heads.map(async ({ endpoint, block }) => ({
          endpoint,
          block: block.number === lowest ? block : await endpoint.getBlock({ blockNumber: lowest }),
        })),
      ),
    );
    const hashes = new Set(shared.map(({ block }) => block.hash));
    if (hashes.size > 1) return { reason: "they are on different forks", block: String(lowest) };
    if (lagMs > tolerance) return { reason: "one of them lags", lagMs, toleranceMs: tolerance };
    if (compared !== undefined && compared > lowest) compared = lowest;
    const from = compared === undefined || lowest - compared > atOnce ? lowest - (lowest < atOnce ? lowest : atOnce) : compared + 1n;
    if (from > lowest) return undefined;
    const events = answered(
      await Promise.allSettled(
        shared.map(async ({ endpoint }) => {
          const logs = await endpoint.getLogs({ address, fromBlock: from, toBlock: lowest });
          return logs.map((log) => [log.blockHash, log.logIndex, log.topics, log.data].join()).join("\n");
        }),
      ),
    );
    if (new Set(events).size > 1) return { reason: "they tell of different events", fromBlock: String(from), toBlock: String(lowest) };
    if (events.length > 1) compared = lowest;
    return undefined;
  };
}

/** What every endpoint that answers says of a stream at one block. Throws CHAIN_STALE when they do not say the same. */
export async function readStreamAgreed(chain: Chain, id: bigint): Promise<StreamState> {
  if (chain.endpoints.length < 2) return readStream(chain, id);
  const heads = answered(
    await Promise.allSettled(chain.endpoints.map(async (client) => ({ client, number: await client.getBlockNumber({ cacheTime: 0 }) }))),
  );
  if (heads.length < 2) return readStream(chain, id);
  const at = heads.reduce((low, { number }) => (number < low ? number : low), heads[0]?.number ?? 0n);
  const reads = await Promise.allSettled(heads.map(({ client }) => readStream({ ...chain, client }, id, at)));
  const states = answered(reads);
  const [first] = states;
  if (!first) return reading(() => Promise.reject((reads[0] as PromiseRejectedResult).reason));
  if (new Set(states.map(textOf)).size > 1) {
    throw new AppError("CHAIN_STALE", "The RPC endpoints disagree about this stream.", {
      facts: { streamId: String(id), block: String(at), statuses: states.map(({ status }) => status) },
      retryAfterSeconds: 5,
    });
  }
  return first;
}

const answered = <T>(results: readonly PromiseSettledResult<T>[]): T[] =>
  results.filter((result) => result.status === "fulfilled").map((result) => result.value);

const textOf = (state: StreamState): string =>
  Object.values(state)
    .map((value: Hash | bigint | number | string) => String(value).toLowerCase())
    .join();
