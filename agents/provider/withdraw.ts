import { type Chain, type ChainEvent, type ContractCall, type Sender, type StreamState, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import type { Logger } from "@clawcompute/lib/node";
import { and, type Database, eq, incomeStreams } from "@clawcompute/lib/store";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import type { ChainTime } from "./chainTime.ts";

/** Collects what was earned. It never reaches into a stream that is still open: a withdrawal takes what the clock has made due, served or not. */
export interface Income {
  /** Remembers streams that begin or end. */
  record(events: readonly ChainEvent[]): Promise<void>;
  remember(streamIds: readonly bigint[]): Promise<void>;
  /** One round: ended streams, then credits, each when it is worth its gas. */
  collect(signal: AbortSignal): Promise<void>;
}

export interface IncomeOptions {
  readonly db: Database;
  readonly chain: Chain;
  readonly payee: Address;
  readonly sender: Sender;
  readonly chainTime: ChainTime;
  readonly logger: Logger;
  readonly read: (id: bigint) => Promise<StreamState>;
  readonly creditOf: (asset: Address) => Promise<bigint>;
  /** Assets of our offers. */
  readonly assets: readonly Address[];
  /** Native coin in wei; less is left to grow. */
  readonly threshold: bigint;
}

/** The payee's streams in the store: those that are closed are not looked at again. */
export function createIncomeRecord({ db, chain, payee }: Pick<IncomeOptions, "db" | "chain" | "payee">) {
  const chainId = chain.network.chainId;
  return {
    remember: async (streamIds: readonly bigint[]): Promise<void> => {
      if (streamIds.length === 0) return;
      const rows = streamIds.map((streamId) => ({ chainId, streamId, payee }));
      await db
        .insert(incomeStreams)
        .values(rows)
        .onConflictDoUpdate({ target: [incomeStreams.chainId, incomeStreams.streamId], set: { payee, closed: false } });
    },
    close: async (streamId: bigint): Promise<void> => {
      const own = and(eq(incomeStreams.chainId, chainId), eq(incomeStreams.streamId, streamId));
      await db.update(incomeStreams).set({ closed: true }).where(own);
    },
  };
}

/** A payer who holds a settlement may still use it this long after the deposit was used up. */
const GRACE_SECONDS = 120;
/** A transaction may cost at most this part of what it brings. */
const GAS_SHARE = 10n;
const closing: ReadonlySet<string> = new Set(["StreamCancelled", "StreamSettled", "StreamRedirected"]);

export function createIncome(options: IncomeOptions): Income {
  const { db, chain, payee, sender, chainTime, logger, read, creditOf, assets, threshold } = options;
  const chainId = chain.network.chainId;
  const { remember, close } = createIncomeRecord({ db, chain, payee });

  /** Sends what is worth sending; a refusal means that somebody else was first, which is as good. */
  async function collectBy(call: ContractCall, asset: Address, amount: bigint, signal: AbortSignal): Promise<boolean> {
    if (asset === zeroAddress && amount < threshold) return false;
    try {
      const { feeWei } = await sender.estimate(call);
      if (asset === zeroAddress && feeWei * GAS_SHARE > amount) return false;
      const sent = await sender.send(call, { signal });
      logger.info(
        { call: call.functionName, asset, amount: formatAmount(amount), hash: sent.hash, feeWei: String(sent.feeWei) },
        "income collected",
      );
      return true;
    } catch (thrown) {
      const error = AppError.from(thrown);
      const level = error.code.startsWith("STREAM_PAY_") ? "debug" : "warn";
      logger[level]({ code: error.code, facts: error.facts, call: call.functionName }, "income not collected");
      return false;
    }
  }

  async function collectEnded(signal: AbortSignal): Promise<void> {
    const open = await db
      .select({ streamId: incomeStreams.streamId })
      .from(incomeStreams)
      .where(and(eq(incomeStreams.chainId, chainId), eq(incomeStreams.payee, payee), eq(incomeStreams.closed, false)));
    for (const { streamId } of open) {
      signal.throwIfAborted();
      const state = await read(streamId);
      const ours = state.status !== "unknown" && state.status !== "closed" && isAddressEqual(state.payee, payee);
      if (!ours) await close(streamId);
      else if (isDue(state, chainTime.nowSeconds())) {
        const amount = state.ratePerSecond * BigInt(state.end - state.lastPaid);
        if (await collectBy(streamPayWrites.withdrawFromStream(streamId), state.asset, amount, signal)) await close(streamId);
      }
    }
  }

  return {
    remember,
    record: async (events) => {
      const own = events.filter((event) => event.contract === "streamPay");
      const begun = own.filter(({ name, args }) => name === "StreamCreated" && isAddressEqual(args.payee as Address, payee));
      await remember(begun.map(({ args }) => args.id as bigint));
      for (const { name, args } of own) {
        if (closing.has(name) || (name === "StreamUpdated" && args.completed === true)) await close(args.id as bigint);
      }
    },
    collect: async (signal) => {
      await collectEnded(signal);
      for (const asset of new Set([zeroAddress, ...assets])) {
        signal.throwIfAborted();
        const credit = await creditOf(asset);
        if (credit > 0n) await collectBy(streamPayWrites.withdrawCredit({ asset, to: payee }), asset, credit, signal);
      }
    },
  };
}

export function isDue(state: StreamState, chainSeconds: number): boolean {
  return state.end + GRACE_SECONDS <= chainSeconds && state.end > state.lastPaid;
}
