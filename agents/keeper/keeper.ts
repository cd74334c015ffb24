import { streamPayAbi } from "@clawcompute/lib/abi";
import {
  type Chain,
  chainTimeMs,
  currentFees,
  decodeRevert,
  type Sender,
  type SentTransaction,
  streamEventsOf,
  streamPayWrites,
} from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import type { Logger, Metrics } from "@clawcompute/lib/node";
import { zeroAddress } from "viem";
import type { KeeperConfig } from "./config.ts";
import type { OpenStream, OpenStreams } from "./openStreams.ts";
import { type Batch, type Candidate, gasModel, planBatches } from "./plan.ts";

export interface KeeperParts {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly streams: OpenStreams;
  readonly logger: Pick<Logger, "debug" | "info" | "warn">;
  readonly metrics: Metrics;
  readonly config: Pick<KeeperConfig, "maxBatch" | "minProfitWei" | "completeAtLoss" | "maxLossWei">;
}

export interface Settled {
  readonly ids: readonly bigint[];
  readonly hash: string;
  readonly rewardWei: bigint;
  readonly feeWei: bigint;
  readonly completed: number;
}

const idsPerPreview = 100;

/** One round: find what accrued, decide, act. Returns what was sent. */
export function createKeeper({
  chain,
  sender,
  streams,
  logger,
  metrics,
  config,
}: KeeperParts): (signal: AbortSignal) => Promise<Settled[]> {
  const open = metrics.gauge("open_streams", "Streams that hold money");
  const batches = metrics.counter("batches_total", "Batches by outcome", ["outcome"]);
  const updated = metrics.counter("streams_updated_total", "Streams updated");
  const reward = metrics.counter("reward_coins_total", "Rewards received in the native coin");
  const gas = metrics.counter("gas_coins_total", "Gas paid in the native coin");

  async function preview(ids: readonly bigint[]) {
    const { streamPay } = chain.network.contracts;
    const account = sender.account.address;
    return chain.client
      .readContract({ address: streamPay, abi: streamPayAbi, functionName: "previewBatchUpdate", args: [ids], account })
      .catch((thrown) => Promise.reject(decodeRevert(thrown)));
  }

  async function find(): Promise<Candidate[]> {
    const listed = streams.list();
    const now = Math.floor((await chainTimeMs(chain)) / 1000);
    const candidates: Candidate[] = [];
    for (let from = 0; from < listed.length; from += idsPerPreview) {
      const part = listed.slice(from, from + idsPerPreview);
      const [previews] = await preview(part.map(({ id }) => id));
      for (const [index, { accrued, reward, completes }] of previews.entries()) {
        const stream = part[index] as OpenStream;
        // A payee's last withdrawal has no event of its own: what ended and owes nothing is gone.
        if (accrued === 0n && now > stream.end) streams.drop(stream.id);
        else if (accrued > 0n) candidates.push({ ...stream, reward, completes });
      }
    }
    open.set(streams.list().length);
    return candidates;
  }

  /** Simulates as it would be sent, then sends. A batch that reverts is halved until what stops it is alone. */
  async function act(batch: Batch): Promise<Settled[]> {
    const { ids, purpose } = batch;
    const call = streamPayWrites.batchUpdateStreams(ids);
    try {
      const [[, rewardWei], { feeWei }] = await Promise.all([preview(ids), sender.estimate(call)]);
      const profit = rewardWei - feeWei;
      const wanted = purpose === "profit" ? profit > 0n && profit >= config.minProfitWei : profit >= -config.maxLossWei;
      if (!wanted) {
        batches.inc({ outcome: "skipped" });
        logger.debug(
          { ids: ids.map(String), purpose, rewardWei: String(rewardWei), feeWei: String(feeWei) },
          "the simulation says that it does not pay",
        );
        return [];
      }
      const native = new Set(
        streams
          .list()
          .filter(({ asset }) => asset === zeroAddress)
          .map(({ id }) => id),
      );
      // Not stoppable from here on: a transaction that is out is waited for.
      return [report(await sender.send(call), batch, native)];
    } catch (thrown) {
      const error = AppError.from(thrown);
      const refused = error.code === "TRANSACTION_REVERTED" || error.code.startsWith("STREAM_PAY_");
      if (!refused || error.facts.hash !== undefined) {
        batches.inc({ outcome: "failed" });
        throw error;
      }
      batches.inc({ outcome: "refused" });
      logger.warn({ ids: ids.map(String), code: error.code, facts: error.facts }, "a batch was refused in simulation");
      if (ids.length === 1) return [];
      const middle = ids.length >> 1;
      const first = await act({ ...batch, ids: ids.slice(0, middle) });
      return [...first, ...(await act({ ...batch, ids: ids.slice(middle) }))];
    }
  }

  function report({ hash, receipt, feeWei, gasUsed }: SentTransaction, { ids, purpose }: Batch, native: ReadonlySet<bigint>): Settled {
    const events = streamEventsOf(receipt, chain).filter((event) => event.eventName === "StreamUpdated");
    const rewardWei = events.filter(({ args }) => native.has(args.id)).reduce((sum, { args }) => sum + args.reward, 0n);
    const completed = events.filter(({ args }) => args.completed).length;
    const profitWei = rewardWei - feeWei;
    batches.inc({ outcome: profitWei > 0n ? "profit" : "loss" });
    updated.inc(events.length);
    reward.inc(Number(formatAmount(rewardWei)));
    gas.inc(Number(formatAmount(feeWei)));
    const fields = {
      hash,
      purpose,
      updated: events.length,
      completed,
      rewardWei: String(rewardWei),
      feeWei: String(feeWei),
      profitWei: String(profitWei),
      gasUsed: String(gasUsed),
    };
    // Somebody else's batch may come first in a block; then ours finds nothing and costs its gas.
    if (purpose === "profit" && profitWei <= 0n) logger.warn(fields, "another keeper was faster");
    else logger.info(fields, "streams updated");
    return { ids, hash, rewardWei, feeWei, completed };
  }

  return async (signal) => {
    const candidates = await find();
    const { expected: gasPrice } = await currentFees(chain);
    const planned = planBatches(candidates, { ...config, gasPrice, gas: gasModel });
    logger.debug(
      { open: streams.list().length, accruing: candidates.length, batches: planned.length, gasPrice: String(gasPrice) },
      "looked at the streams",
    );
    const settled: Settled[] = [];
    for (const batch of planned) {
      if (signal.aborted) break;
      settled.push(...(await act(batch)));
    }
    return settled;
  };
}
