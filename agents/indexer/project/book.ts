import type {
  indexerCredits,
  indexerDays,
  indexerIntervals,
  indexerKeeperActions,
  indexerKeeperDays,
  indexerModels,
  indexerPrices,
  indexerProviderDays,
  indexerSettlements,
  indexerTotals,
} from "@clawcompute/lib/store";
import { type Address, zeroAddress } from "viem";
import type { Entry } from "../entry.ts";

type Settlement = typeof indexerSettlements.$inferSelect;
type KeeperAction = typeof indexerKeeperActions.$inferSelect;
type Total = typeof indexerTotals.$inferSelect;
export type Sums = Omit<Total, "chainId" | "asset" | "events">;

/** The transaction of a keeper's batch. */
export interface BatchTransaction {
  readonly from: Address;
  readonly gasUsed: bigint;
  readonly gasPrice: bigint;
}

const noSums: Sums = {
  streamsOpened: 0,
  streamsClosed: 0,
  channelsOpened: 0,
  channelsClosed: 0,
  deposited: 0n,
  paid: 0n,
  rewards: 0n,
  refunded: 0n,
  soldMs: 0n,
  payments: 0,
};
const sumKeys = Object.keys(noSums) as (keyof Sums)[];
const SECONDS_A_DAY = 86_400;
/** Lengths of the intervals that are summed besides days, in seconds. */
const intervalSeconds = [60, 3_600] as const;

/**
 * What a run of events adds to the sums, and the rows that each event makes by itself. With sign −1 it takes away exactly what the
 * same events added, so a rollback is the same walk with the other sign.
 */
export class Book {
  readonly settlements: Settlement[] = [];
  readonly prices: (typeof indexerPrices.$inferSelect)[] = [];
  readonly #chainId: number;
  readonly #sign: 1 | -1;
  readonly #totals = new Map<string, Total>();
  readonly #days = new Map<string, typeof indexerDays.$inferSelect>();
  readonly #intervals = new Map<string, typeof indexerIntervals.$inferSelect>();
  readonly #providerDays = new Map<string, typeof indexerProviderDays.$inferSelect>();
  readonly #credits = new Map<string, typeof indexerCredits.$inferSelect>();
  readonly #completions = new Map<number, { id: number; count: number; earned: bigint }>();
  readonly #models = new Map<string, typeof indexerModels.$inferSelect>();
  readonly #actions = new Map<string, KeeperAction>();

  constructor(chainId: number, sign: 1 | -1) {
    this.#chainId = chainId;
    this.#sign = sign;
  }

  add(entry: Entry, asset: Address, providerId: number, sums: Partial<Sums>): void {
    const chainId = this.#chainId;
    const day = Math.floor(entry.at / SECONDS_A_DAY);
    const none = { chainId, asset, events: 0, ...noSums };
    this.#sum(this.#totals, asset, none, sums);
    this.#sum(this.#days, `${day} ${asset}`, { ...none, day }, sums);
    for (const seconds of intervalSeconds) {
      const at = entry.at - (entry.at % seconds);
      this.#sum(this.#intervals, `${seconds} ${at} ${asset}`, { ...none, seconds, at }, sums);
    }
    this.#sum(this.#providerDays, `${providerId} ${day} ${asset}`, { ...none, day, providerId }, sums);
  }

  /** Of what was added without a provider, this part was a provider's after all. */
  attribute(entry: Entry, asset: Address, providerId: number, { paid, payments }: Pick<Sums, "paid" | "payments">): void {
    const day = Math.floor(entry.at / SECONDS_A_DAY);
    const none = { chainId: this.#chainId, asset, events: 0, ...noSums, day };
    const nobodys = { ...none, providerId: 0 };
    this.#sum(this.#providerDays, `0 ${day} ${asset}`, nobodys, { paid: -paid, payments: -payments }, 0);
    this.#sum(this.#providerDays, `${providerId} ${day} ${asset}`, { ...none, providerId }, { paid, payments });
  }

  #sum<Row extends Total>(rows: Map<string, Row>, key: string, none: Row, sums: Partial<Sums>, events = 1): void {
    let row = rows.get(key);
    if (!row) {
      row = { ...none };
      rows.set(key, row);
    }
    row.events += this.#sign * events;
    for (const name of sumKeys) {
      const value = sums[name];
      if (typeof value === "bigint") (row[name] as bigint) += BigInt(this.#sign) * value;
      else if (value !== undefined) (row[name] as number) += this.#sign * (value as number);
    }
  }

  credit(entry: Entry, account: Address, asset: Address, { added = 0n, withdrawn = 0n }: { added?: bigint; withdrawn?: bigint }): void {
    const key = `${account} ${entry.contract} ${asset}`;
    let row = this.#credits.get(key);
    if (!row) {
      row = { chainId: this.#chainId, account, contract: entry.contract, asset, added: 0n, withdrawn: 0n, events: 0 };
      this.#credits.set(key, row);
    }
    row.events += this.#sign;
    row.added += BigInt(this.#sign) * added;
    row.withdrawn += BigInt(this.#sign) * withdrawn;
  }

  completion(id: number, count: number, earned: bigint): void {
    const row = this.#completions.get(id) ?? { id, count: 0, earned: 0n };
    this.#completions.set(id, { id, count: row.count + this.#sign * count, earned: row.earned + BigInt(this.#sign) * earned });
  }

  /** `registered` and `active` are +1, 0 or −1. */
  offer(kind: { model: string; asset: Address; serviceType: number }, registered: number, active: number): void {
    const { model, asset, serviceType } = kind;
    const key = `${asset} ${serviceType} ${model}`;
    const row = this.#models.get(key) ?? { chainId: this.#chainId, model, asset, serviceType, events: 0, active: 0 };
    this.#models.set(key, { ...row, events: row.events + this.#sign * registered, active: row.active + this.#sign * active });
  }

  /** All updates of one transaction are one action; `transaction` tells who sent it. */
  keeperUpdate(
    entry: Entry,
    asset: Address,
    update: { accrued: bigint; reward: bigint; completed: boolean },
    transaction: BatchTransaction,
  ): void {
    const { blockNumber, logIndex, transactionHash, at } = entry;
    let action = this.#actions.get(transactionHash);
    if (!action) {
      const { from: keeper, gasUsed, gasPrice } = transaction;
      const place = { chainId: this.#chainId, blockNumber, logIndex, transactionHash, at };
      action = { ...place, keeper, streams: 0, completed: 0, accrued: 0n, reward: 0n, tokenRewards: [], gasUsed, gasPrice };
      this.#actions.set(transactionHash, action);
    }
    action.streams += 1;
    action.completed += update.completed ? 1 : 0;
    if (asset === zeroAddress) {
      action.accrued += update.accrued;
      action.reward += update.reward;
      return;
    }
    const before = action.tokenRewards.find((token) => token.asset === asset) ?? { accrued: "0", reward: "0" };
    const token = {
      asset,
      accrued: String(BigInt(before.accrued) + update.accrued),
      reward: String(BigInt(before.reward) + update.reward),
    };
    action.tokenRewards = [...action.tokenRewards.filter((other) => other.asset !== asset), token];
  }

  settlement(entry: Entry, row: Omit<Settlement, "chainId" | "blockNumber" | "logIndex" | "transactionHash" | "at">): void {
    const { chainId, blockNumber, logIndex, transactionHash, at } = entry;
    this.settlements.push({ chainId, blockNumber, logIndex, transactionHash, at, ...row });
  }

  price(entry: Entry, row: Omit<typeof indexerPrices.$inferSelect, "chainId" | "blockNumber" | "logIndex" | "at">): void {
    const { chainId, blockNumber, logIndex, at } = entry;
    this.prices.push({ chainId, blockNumber, logIndex, at, ...row });
  }

  totals = (): Total[] => [...this.#totals.values()];
  days = () => [...this.#days.values()];
  intervals = () => [...this.#intervals.values()];
  providerDays = () => [...this.#providerDays.values()];
  credits = () => [...this.#credits.values()];
  completions = () => [...this.#completions.values()];
  models = () => [...this.#models.values()];
  actions = (): KeeperAction[] => [...this.#actions.values()];
}

type KeeperDay = typeof indexerKeeperDays.$inferSelect;

/** What keepers' actions sum up to, for each keeper and day. */
export function sumActionsByDay(chainId: number, actions: readonly KeeperAction[], sign: 1 | -1): KeeperDay[] {
  const days = new Map<string, KeeperDay>();
  for (const { keeper, at, streams, completed, accrued, reward, gasUsed, gasPrice } of actions) {
    const day = Math.floor(at / SECONDS_A_DAY);
    const key = `${keeper} ${day}`;
    const row = days.get(key) ?? { chainId, keeper, day, events: 0, streams: 0, completed: 0, accrued: 0n, reward: 0n, gasWei: 0n };
    const factor = BigInt(sign);
    days.set(key, {
      ...row,
      events: row.events + sign,
      streams: row.streams + sign * streams,
      completed: row.completed + sign * completed,
      accrued: row.accrued + factor * accrued,
      reward: row.reward + factor * reward,
      gasWei: row.gasWei + factor * gasUsed * gasPrice,
    });
  }
  return [...days.values()];
}

/** The same for each keeper, over all days. */
export function sumKeepers(days: readonly KeeperDay[]): Omit<KeeperDay, "day">[] {
  const keepers = new Map<string, Omit<KeeperDay, "day">>();
  for (const { day: _, ...row } of days) {
    const sum = keepers.get(row.keeper);
    if (!sum) {
      keepers.set(row.keeper, { ...row });
      continue;
    }
    for (const name of ["events", "streams", "completed"] as const) sum[name] += row[name];
    for (const name of ["accrued", "reward", "gasWei"] as const) sum[name] += row[name];
  }
  return [...keepers.values()];
}
