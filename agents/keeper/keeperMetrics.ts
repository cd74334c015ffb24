import { formatAmount } from "@clawcompute/lib/money";
import type { Metrics } from "@clawcompute/lib/node";
import type { Source } from "./sources.ts";

export interface Booked {
  readonly updated: number;
  readonly completed: number;
  readonly rewardWei: bigint;
  readonly feeWei: bigint;
  readonly profitable: boolean;
}

export function keeperMetrics(metrics: Metrics) {
  const open = metrics.gauge("open_streams", "Streams that hold money, where they are read from the chain");
  const rivals = metrics.gauge("rivals", "Other keepers seen on chain lately");
  const fromIndexer = metrics.gauge("source_is_indexer", "1 while streams are found by the indexer, 0 by the chain's events");
  const plan = metrics.histogram("plan_seconds", "Time to find and rank streams");
  const batches = metrics.counter("batches_total", "Batches by outcome", ["outcome"]);
  const streams = metrics.counter("streams_updated_total", "Streams updated");
  const completed = metrics.counter("streams_completed_total", "Ended streams whose payee got the rest");
  const reward = metrics.counter("reward_coins_total", "Rewards received in the native coin");
  const gas = metrics.counter("gas_coins_total", "Gas paid in the native coin");
  return {
    batches,
    planned: (round: { source: Source; rivals: number; seconds: number }) => {
      if (round.source.open !== undefined) open.set(round.source.open);
      fromIndexer.set(round.source.name === "indexer" ? 1 : 0);
      rivals.set(round.rivals);
      plan.observe(round.seconds);
    },
    booked: (batch: Booked) => {
      batches.inc({ outcome: batch.profitable ? "profit" : "loss" });
      streams.inc(batch.updated);
      completed.inc(batch.completed);
      reward.inc(Number(formatAmount(batch.rewardWei)));
      gas.inc(Number(formatAmount(batch.feeWei)));
    },
  };
}
