import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Chain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { decodeSignedReceipt, encodeSignedReceipt, type SignedReceipt } from "@clawcompute/lib/protocol";
import type { Address } from "viem";
import type { CommandContext } from "../command.ts";
import type { Ledger } from "../gateway/ledger/ledger.ts";
import { receiptsFileOf } from "./config.ts";

/** A signed receipt with what is needed to check it without any connection. */
export interface KeptReceipt {
  readonly chainId: number;
  readonly streamPay: Address;
  /** Of the stream, raw units; undefined when the source does not say. */
  readonly ratePerSecond: bigint | undefined;
  readonly signed: SignedReceipt;
}

/** Where a receipt without its own chain belongs. */
export type Home = Pick<KeptReceipt, "chainId" | "streamPay">;

export const homeOf = ({ network }: Pick<Chain, "network">): Home => ({
  chainId: network.chainId,
  streamPay: network.contracts.streamPay,
});

/** Adds one line. Whoever holds the file can prove what was bought, not what was said: receipts carry hashes only. Throws CONFIG_INVALID. */
export function keepReceipt(path: string, { chainId, streamPay, ratePerSecond, signed }: KeptReceipt): void {
  const rate = ratePerSecond === undefined ? {} : { ratePerSecond: String(ratePerSecond) };
  const line = JSON.stringify({ chainId, streamPay, ...rate, ...encodeSignedReceipt(signed) });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    appendFileSync(path, `${line}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `RECEIPTS_FILE: ${path} cannot be written (${(cause as NodeJS.ErrnoException).code}).`, {
      param: "RECEIPTS_FILE",
      cause,
    });
  }
}

/** Keeps every receipt; a full disk is told and costs no answer. */
export function receiptKeeper(chain: Pick<Chain, "network">, env: CommandContext["env"], warn: (text: string) => void) {
  const path = receiptsFileOf(env);
  return ({ ratePerSecond }: { readonly ratePerSecond: bigint }, signed: SignedReceipt): void => {
    try {
      keepReceipt(path, { ...homeOf(chain), ratePerSecond, signed });
    } catch (thrown) {
      warn(`the receipt is not kept: ${AppError.from(thrown).message}\n`);
    }
  };
}

/** A gateway's ledger that also keeps every receipt here, so that its bill can be checked without it. */
export function journaled(ledger: Ledger, chain: Pick<Chain, "network">, env: CommandContext["env"], warn: (text: string) => void): Ledger {
  const path = receiptsFileOf(env);
  return {
    ...ledger,
    finish: (requestId, result) => {
      ledger.finish(requestId, result);
      if (result.receipt === undefined || result.receipt === null) return;
      try {
        keepReceipt(path, { ...homeOf(chain), ratePerSecond: undefined, signed: decodeSignedReceipt(result.receipt) });
      } catch (thrown) {
        warn(`the receipt is not kept: ${AppError.from(thrown).message}`);
      }
    },
  };
}

/** Throws BAD_REQUEST when the file cannot be read. A file that is not there yet holds nothing. */
export function readJournal(path: string, home: Home, absentIsEmpty = false): KeptReceipt[] {
  try {
    return parseReceipts(readFileSync(path, "utf8"), home, path);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT" && absentIsEmpty) return [];
    throw new AppError("BAD_REQUEST", `${path} cannot be read (${code}).`, {
      param: "file",
      hint: "Name a file of receipts, or - for standard input.",
    });
  }
}

/**
 * Lines of the journal, receipts as providers send them, or what `claw ask --json` printed: one JSON value, or one on each line.
 * Throws BAD_REQUEST naming the place.
 */
export function parseReceipts(text: string, home: Home, source: string): KeptReceipt[] {
  const whole = parse(text);
  const values = whole === undefined ? linesOf(text, source) : Array.isArray(whole) ? whole : [whole];
  return values.flatMap((value, index) => receiptIn(value, home, `${source}, entry ${index + 1}`) ?? []);
}

function linesOf(text: string, source: string): unknown[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const value = parse(line);
    if (value === undefined) throw notReceipt(`${source}, line ${index + 1}, is not JSON`);
    return [value];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function receiptIn(value: unknown, home: Home, place: string): KeptReceipt | undefined {
  if (typeof value !== "object" || value === null) throw notReceipt(`${place}, is no receipt`);
  const { receipt, chainId, streamPay, ratePerSecond, ratePerSecondWei } = value as Record<string, unknown>;
  // `claw ask --json` without a receipt: its failure is another matter.
  if (receipt === null || (receipt === undefined && "answer" in value)) return undefined;
  const isReport = typeof receipt === "object" && receipt !== null && "receipt" in receipt;
  const rate = ratePerSecond ?? ratePerSecondWei;
  try {
    return {
      chainId: typeof chainId === "number" && Number.isSafeInteger(chainId) ? chainId : home.chainId,
      streamPay: typeof streamPay === "string" && /^0x[0-9a-fA-F]{40}$/.test(streamPay) ? (streamPay as Address) : home.streamPay,
      ratePerSecond: typeof rate === "string" && /^\d{1,78}$/.test(rate) ? BigInt(rate) : undefined,
      signed: decodeSignedReceipt(isReport ? receipt : value),
    };
  } catch (thrown) {
    throw notReceipt(`${place}: ${AppError.from(thrown).message.replace(/\.$/, "")}`);
  }
}

const notReceipt = (what: string): AppError =>
  new AppError("BAD_REQUEST", `${what}.`, { param: "file", hint: "Give what `claw ask --json` prints, or a file that claw wrote." });
