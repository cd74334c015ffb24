import { type Chain, connectChain } from "@clawcompute/lib/chain";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exitCodes.ts";
import { table } from "../terminal.ts";
import { folderOf, settings } from "./config.ts";
import { type BatchRecord, readRecords } from "./records.ts";
import { updatesOf } from "./updates.ts";

export interface ReportFlags {
  /** Default 7. */
  readonly days?: string;
  /** Compares each record with the chain. */
  readonly chain?: boolean;
}

export interface Sums {
  readonly batches: number;
  /** Sent, but another keeper had been faster or the contract refused. */
  readonly wasted: number;
  readonly updated: number;
  readonly completed: number;
  readonly earnedWei: bigint;
  readonly gasWei: bigint;
  readonly tokens: Readonly<Record<string, bigint>>;
}

const none: Sums = { batches: 0, wasted: 0, updated: 0, completed: 0, earnedWei: 0n, gasWei: 0n, tokens: {} };

export function sumOf(records: readonly BatchRecord[]): Sums {
  return records.reduce((sums, { outcome, updated, completed, rewardWei, feeWei, tokens }) => {
    const both = { ...sums.tokens };
    for (const [token, amount] of Object.entries(tokens)) both[token] = (both[token] ?? 0n) + BigInt(amount);
    return {
      batches: sums.batches + 1,
      wasted: sums.wasted + (outcome === "updated" ? 0 : 1),
      updated: sums.updated + updated,
      completed: sums.completed + completed,
      earnedWei: sums.earnedWei + BigInt(rewardWei),
      gasWei: sums.gasWei + BigInt(feeWei),
      tokens: both,
    };
  }, none);
}

/** By day, UTC, oldest first. */
export function byDay(records: readonly BatchRecord[]): (readonly [day: string, sums: Sums])[] {
  const days = Map.groupBy(records, ({ atMs }) => new Date(atMs).toISOString().slice(0, 10));
  return [...days].map(([day, own]) => [day, sumOf(own)] as const);
}

export interface Reconciled {
  readonly checked: number;
  /** What the chain says otherwise. */
  readonly differences: readonly { readonly hash: string; readonly field: string; readonly recorded: string; readonly chain: string }[];
  /** Transactions of the same wallets since the first record that are not in the records. */
  readonly unrecorded: number;
}

/** Compares the records with receipts and their events. */
export async function reconcile(chain: Chain, all: readonly BatchRecord[], period: readonly BatchRecord[]): Promise<Reconciled> {
  const differences: Reconciled["differences"][number][] = [];
  const known = period.filter(({ outcome }) => outcome !== "unknown");
  for (const record of known) {
    const receipt = await chain.client.getTransactionReceipt({ hash: record.hash }).catch(() => undefined);
    const updates = receipt && updatesOf(receipt, chain);
    const fields = {
      block: [record.block, receipt ? String(receipt.blockNumber) : "no receipt"],
      feeWei: [record.feeWei, receipt ? String(receipt.gasUsed * receipt.effectiveGasPrice) : "no receipt"],
      rewardWei: [record.rewardWei, updates ? String(updates.rewardWei) : "no receipt"],
      updated: [String(record.updated), updates ? String(updates.updated) : "no receipt"],
    };
    for (const [field, [recorded, told]] of Object.entries(fields))
      if (recorded !== told) differences.push({ hash: record.hash, field, recorded: String(recorded), chain: String(told) });
  }
  let unrecorded = 0;
  for (const [keeper, own] of Map.groupBy(all, (record) => record.keeper)) {
    const sent = await chain.client.getTransactionCount({ address: keeper });
    unrecorded += sent - Math.min(...own.map(({ nonce }) => nonce)) - new Set(own.map(({ nonce }) => nonce)).size;
  }
  return { checked: known.length, differences, unrecorded: Math.max(0, unrecorded) };
}

/** `claw keeper report`: what the keeper earned and paid, by its own records. Needs no wallet. */
export async function reportMain(flags: ReportFlags, { env, terminal, json }: CommandContext, nowMs = Date.now()): Promise<number> {
  const network = networkFromEnv(env);
  const folder = folderOf(network, env[settings.dataDir.name]?.trim() || undefined);
  if (folder === undefined)
    throw new AppError("CONFIG_INVALID", "A keeper of the local network remembers nothing unless it is told where.", {
      param: settings.dataDir.name,
      hint: "Set KEEPER_DATA_DIR to the keeper's folder; that of npm start is .local/keeper.",
    });
  const days = Number(flags.days ?? "7");
  if (!(days > 0 && days <= 36_500))
    throw new AppError("BAD_REQUEST", "days must be a number above 0.", { param: "days", hint: "Correct --days." });
  const all = readRecords(folder);
  const period = all.filter(({ atMs }) => atMs > nowMs - days * 86_400_000);
  const total = sumOf(period);
  const reconciled = flags.chain ? await reconcile(connectChain(network), all, period) : undefined;
  if (json) {
    const report = {
      chainId: network.chainId,
      days,
      total: wire(total),
      byDay: byDay(period).map(([day, sums]) => ({ day, ...wire(sums) })),
    };
    terminal.out(`${JSON.stringify({ ...report, ...(reconciled ? { reconciled } : {}) })}\n`);
  } else {
    const row = (name: string, sums: Sums) => [
      name,
      ...[sums.batches, sums.wasted, sums.updated, sums.completed].map(String),
      ...[sums.earnedWei, sums.gasWei, sums.earnedWei - sums.gasWei, perStream(sums)].map((wei) => formatAmount(wei)),
    ];
    const head = ["day", "batches", "wasted", "updated", "completed", "earned", "gas", "net", "net a stream"];
    terminal.out(table(head, [...byDay(period).map(([day, sums]) => row(day, sums)), row("total", total)]));
    terminal.out(`Amounts in ${network.nativeSymbol}; ${days} days, from ${folder}.\n`);
    for (const [token, amount] of Object.entries(total.tokens)) terminal.out(`also ${amount} raw units of the token ${token}\n`);
    if (reconciled) terminal.out(reconciledText(reconciled));
  }
  return reconciled && (reconciled.differences.length > 0 || reconciled.unrecorded > 0) ? exitCodes.chain : exitCodes.done;
}

function reconciledText({ checked, differences, unrecorded }: Reconciled): string {
  const lines = differences.map(({ hash, field, recorded, chain }) => `${hash}: ${field} is ${recorded} here and ${chain} on chain`);
  if (unrecorded > 0) lines.push(`${unrecorded} transactions of this wallet are not in the records`);
  return `${[`${checked} batches compared with the chain: ${lines.length === 0 ? "all as recorded" : "see below"}`, ...lines].join("\n")}\n`;
}

const perStream = ({ earnedWei, gasWei, updated }: Sums) => (updated === 0 ? 0n : (earnedWei - gasWei) / BigInt(updated));

const wire = (sums: Sums) => ({
  batches: sums.batches,
  wasted: sums.wasted,
  updated: sums.updated,
  completed: sums.completed,
  earnedWei: String(sums.earnedWei),
  gasWei: String(sums.gasWei),
  netWei: String(sums.earnedWei - sums.gasWei),
  netPerStreamWei: String(perStream(sums)),
  tokens: Object.fromEntries(Object.entries(sums.tokens).map(([token, amount]) => [token, String(amount)])),
});
