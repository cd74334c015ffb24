import { appendFileSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SignedTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Address, Hash } from "viem";

/** One transaction that is done. Amounts are decimal strings of raw units. */
export interface BatchRecord {
  readonly atMs: number;
  readonly keeper: Address;
  readonly hash: Hash;
  readonly nonce: number;
  readonly purpose: "profit" | "complete";
  /** unknown: it was mined, but which of its replacements is not known; the fee is the most it can have been. */
  readonly outcome: "updated" | "nothing-left" | "reverted" | "unknown";
  readonly block: string | null;
  readonly updated: number;
  readonly completed: number;
  readonly rewardWei: string;
  /** The native reward, and tokens at their configured price. */
  readonly worthWei: string;
  readonly tokens: Readonly<Record<Address, string>>;
  readonly gasUsed: string;
  readonly feeWei: string;
}

/** A transaction that is signed and not known to be done. */
export interface PendingBatch extends SignedTransaction {
  readonly atMs: number;
  readonly keeper: Address;
  /** Of all its replacements. */
  readonly hashes: readonly Hash[];
  readonly ids: readonly string[];
  readonly purpose: "profit" | "complete";
  readonly maxFeeWei: string;
}

export interface Records {
  add(record: BatchRecord): void;
  pending(): PendingBatch | undefined;
  /** On disk when it returns. */
  setPending(pending: PendingBatch | undefined): void;
  /** Gas paid, and lost by batches that earned less than it, since a time; what is pending counts with the most that it may cost. */
  spent(sinceMs: number): { readonly feeWei: bigint; readonly lossWei: bigint };
}

const DAY_MS = 86_400_000;
const names = { done: "batches.jsonl", pending: "pending.json" } as const;

/** Records of one key on one chain; without a folder they are forgotten at the end. Throws CONFIG_INVALID. */
export function openRecords(folder: string | undefined): Records {
  if (folder) makeFolder(folder);
  let recent = folder ? readRecords(folder) : [];
  let pending = folder ? readPending(folder) : undefined;

  return {
    add: (record) => {
      if (recent.some(({ hash }) => hash === record.hash)) return;
      recent = [...recent.filter(({ atMs }) => atMs > record.atMs - DAY_MS), record];
      if (folder) appendFileSync(join(folder, names.done), `${JSON.stringify(record)}\n`, { mode: 0o600, flush: true });
    },
    pending: () => pending,
    setPending: (next) => {
      pending = next;
      if (!folder) return;
      const path = join(folder, names.pending);
      if (next) writeWhole(path, JSON.stringify(next));
      else rmSync(path, { force: true });
    },
    spent: (sinceMs) => {
      let [feeWei, lossWei] = [BigInt(pending?.maxFeeWei ?? 0), 0n];
      for (const { atMs, feeWei: fee, worthWei } of recent) {
        if (atMs <= sinceMs) continue;
        const net = BigInt(worthWei) - BigInt(fee);
        feeWei += BigInt(fee);
        if (net < 0n) lossWei -= net;
      }
      return { feeWei, lossWei };
    },
  };
}

/** All records, oldest first. A last line that a crash cut off is left out. */
export function readRecords(folder: string): BatchRecord[] {
  const records: BatchRecord[] = [];
  const lines = readOr(join(folder, names.done), "").split("\n");
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    try {
      records.push(JSON.parse(line) as BatchRecord);
    } catch (cause) {
      if (index < lines.length - 1) throw unreadable(folder, cause);
      appendFileSync(join(folder, names.done), "\n");
    }
  }
  return records;
}

export interface Caps {
  readonly gasPerHourWei: bigint;
  readonly gasPerDayWei: bigint;
  readonly lossPerDayWei: bigint;
}

/** The cap that sending this would break, if any. */
export function decideCap(records: Records, caps: Caps, next: { feeWei: bigint; lossWei: bigint }, nowMs: number): keyof Caps | undefined {
  const [hour, day] = [records.spent(nowMs - DAY_MS / 24), records.spent(nowMs - DAY_MS)];
  if (hour.feeWei + next.feeWei > caps.gasPerHourWei) return "gasPerHourWei";
  if (day.feeWei + next.feeWei > caps.gasPerDayWei) return "gasPerDayWei";
  if (next.lossWei > 0n && day.lossWei + next.lossWei > caps.lossPerDayWei) return "lossPerDayWei";
  return day.lossWei > caps.lossPerDayWei ? "lossPerDayWei" : undefined;
}

function readPending(folder: string): PendingBatch | undefined {
  const text = readOr(join(folder, names.pending), "");
  try {
    return text === "" ? undefined : (JSON.parse(text) as PendingBatch);
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

function readOr(path: string, absent: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return absent;
    throw unreadable(path, cause);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

/** Whole or not at all, and there after a power cut. */
function writeWhole(path: string, text: string): void {
  const file = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError("CONFIG_INVALID", "KEEPER_DATA_DIR: what is there cannot be read.", {
    param: "KEEPER_DATA_DIR",
    facts: { path },
    hint: "Its files tell what was spent and sent: look before you remove them.",
    cause,
  });
}
