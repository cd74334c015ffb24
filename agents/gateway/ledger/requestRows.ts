import type { Clock } from "@clawcompute/lib/node";
import { type Database, gatewayRequests, replaceRows } from "@clawcompute/lib/store";
import type { Address } from "viem";
import type { Ledger } from "./ledger.ts";
import type { WriteQueue } from "./writeQueue.ts";

/** Rows of requests, written in groups: one write for many, and one for a request that is over before its group is written. */
export interface RequestRows extends Pick<Ledger, "begin" | "finish"> {
  /** Queues what is not written yet. */
  flush(): void;
}

export interface RequestRowsOptions {
  readonly db: Database;
  readonly queue: WriteQueue;
  readonly clock: Clock;
  readonly chainId: number;
  readonly payer: Address;
}

type Row = typeof gatewayRequests.$inferSelect;

/** The most of its books that a crash can take; the money itself is on the chain. */
const GROUP_MS = 250;

export function createRequestRows({ db, queue, clock, chainId, payer }: RequestRowsOptions): RequestRows {
  const running = new Map<string, Row>();
  let changed = new Map<string, Row>();

  function flush(): void {
    if (changed.size === 0) return;
    const rows = [...changed.values()];
    changed = new Map();
    queue.add("requests", () => replaceRows(db, gatewayRequests, rows));
  }

  function change(row: Row): void {
    if (changed.size === 0) void clock.sleep(GROUP_MS).then(flush);
    changed.set(row.requestId, row);
  }

  return {
    flush,
    begin: (request) => {
      const row: Row = {
        ...request,
        chainId,
        payer,
        endedAtMs: null,
        model: null,
        providerId: null,
        streamId: null,
        costWei: 0n,
        exact: true,
        servedMs: 0,
        firstTokenMs: null,
        unitsIn: 0,
        unitsOut: 0,
        outcome: "running",
        finishReason: null,
        attempts: [],
        receipt: null,
        choice: null,
      };
      running.set(row.requestId, row);
      change(row);
    },
    finish: (requestId, { coverId, model, providerId, firstTokenMs, finishReason, receipt, choice, attempts, ...result }) => {
      const begun = running.get(requestId);
      if (!begun) return;
      running.delete(requestId);
      change({
        ...begun,
        ...result,
        attempts: [...attempts],
        model: model ?? null,
        providerId: providerId ?? null,
        streamId: coverId === undefined ? null : BigInt(coverId),
        firstTokenMs: firstTokenMs === undefined ? null : Math.round(firstTokenMs),
        finishReason: finishReason ?? null,
        receipt: receipt ?? null,
        choice: choice ?? null,
      });
    },
  };
}
