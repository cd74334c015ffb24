import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import {
  hashReceipt,
  type Receipt,
  type SignedReceipt,
  verifyReceiptSignature,
  verifySettlementSignature,
  ZERO_HASH,
} from "@clawcompute/lib/protocol";
import type { Address, Hex } from "viem";
import type { KeptReceipt } from "./journal.ts";

/** What one stream's receipts say, and what is wrong with them. */
export interface StreamBill {
  readonly chainId: number;
  readonly streamId: bigint;
  readonly providerId: number;
  readonly model: string;
  readonly signers: readonly Address[];
  readonly answers: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly unitsIn: number;
  readonly unitsOut: number;
  /** By the newest receipt, so that answers whose receipt is missing count too. */
  readonly servedMs: number;
  readonly owedWei: bigint;
  /** Signed as the stream's end; undefined when no receipt here carries it. */
  readonly settledWei: bigint | undefined;
  /** Proof of a lie or a mistake of the signer, or of a changed file. */
  readonly problems: readonly string[];
  /** Receipts that are not here: answers that broke off, or a file that is not complete. */
  readonly missing: number;
}

/** Checks every signature, chain and sum, and adds up a bill for each stream. Needs no connection. */
export async function verifyReceipts(kept: readonly KeptReceipt[]): Promise<StreamBill[]> {
  const streams = new Map<string, KeptReceipt[]>();
  for (const entry of kept) {
    const { chainId, streamPay, signed } = entry;
    const key = [chainId, streamPay.toLowerCase(), signed.receipt.payment.toLowerCase()].join(" ");
    streams.set(key, [...(streams.get(key) ?? []), entry]);
  }
  const bills = await Promise.all([...streams.values()].map(verifyStream));
  return bills.sort((a, b) => a.fromMs - b.fromMs);
}

interface Link {
  readonly hash: Hex;
  readonly entry: KeptReceipt;
}

async function verifyStream(entries: readonly KeptReceipt[]): Promise<StreamBill> {
  const problems: string[] = [];
  const links = new Map<Hex, Link>();
  for (const entry of entries) {
    const hash = hashReceipt(domainOf(entry), entry.signed.receipt);
    const known = links.get(hash);
    // The same receipt again; the copy with the settlement says more.
    if (!known || (!known.entry.signed.settlement && entry.signed.settlement)) links.set(hash, { hash, entry });
  }
  const ordered = [...links.values()].sort((a, b) => orderOf(a.entry.signed.receipt, b.entry.signed.receipt));
  for (const { entry } of ordered) problems.push(...(await signatureProblems(entry)));
  const { missing, problems: chainProblems } = followChain(ordered);
  problems.push(...chainProblems, ...sumProblems(ordered));

  const receipts = ordered.map(({ entry }) => entry.signed.receipt);
  const [first] = ordered as [Link];
  const last = receipts.at(-1) as Receipt;
  const settlements = ordered.flatMap(({ entry }) => entry.signed.settlement ?? []);
  if (new Set(receipts.map(({ providerId }) => providerId)).size > 1) problems.push("receipts of one stream name several providers");
  return {
    chainId: first.entry.chainId,
    streamId: BigInt(last.payment),
    providerId: last.providerId,
    model: last.model,
    signers: [...new Set(ordered.map(({ entry }) => entry.signed.signer))],
    answers: receipts.length,
    fromMs: Math.min(...receipts.map(({ startedAtMs }) => startedAtMs)),
    toMs: Math.max(...receipts.map(({ endedAtMs }) => endedAtMs)),
    unitsIn: receipts.reduce((sum, { unitsIn }) => sum + unitsIn, 0),
    unitsOut: receipts.reduce((sum, { unitsOut }) => sum + unitsOut, 0),
    servedMs: last.cumulativeServedMs,
    owedWei: last.cumulativeAmount,
    settledWei: settlements.at(-1)?.owed,
    problems,
    missing,
  };
}

const domainOf = ({ chainId, streamPay }: KeptReceipt) => ({ chainId, verifyingContract: streamPay });

const orderOf = (a: Receipt, b: Receipt) => a.cumulativeServedMs - b.cumulativeServedMs || a.endedAtMs - b.endedAtMs;

async function signatureProblems(entry: KeptReceipt): Promise<string[]> {
  const { receipt, signature, signer, settlement } = entry.signed;
  const problems: string[] = [];
  const holds = (work: Promise<void>) =>
    work.then(
      () => true,
      () => false,
    );
  if (!(await holds(verifyReceiptSignature(domainOf(entry), receipt, signature, signer)))) {
    problems.push(`${nameOf(entry.signed)} is not signed by ${signer}`);
  }
  if (settlement) {
    const { streamId, owed } = settlement;
    if (!(await holds(verifySettlementSignature(domainOf(entry), { streamId, owed }, settlement.signature, signer)))) {
      problems.push(`the settlement with ${nameOf(entry.signed)} is not signed by ${signer}`);
    }
    if (BigInt(receipt.payment) !== streamId) problems.push(`the settlement with ${nameOf(entry.signed)} is about another stream`);
    if (owed !== receipt.cumulativeAmount) problems.push(`the settlement with ${nameOf(entry.signed)} is about another amount`);
  }
  return problems;
}

/** R8: each names the one before. Two that name the same one are a fork, which no honest provider signs. */
function followChain(ordered: readonly Link[]): { missing: number; problems: string[] } {
  const problems: string[] = [];
  const hashes = new Set(ordered.map(({ hash }) => hash));
  const named = new Map<Hex, Link>();
  let missing = 0;
  for (const link of ordered) {
    const previous = link.entry.signed.receipt.previousReceiptHash;
    const rival = named.get(previous);
    if (rival) problems.push(`${nameOf(link.entry.signed)} and ${nameOf(rival.entry.signed)} follow the same receipt`);
    named.set(previous, link);
    if (previous !== ZERO_HASH && !hashes.has(previous)) missing += 1;
  }
  if (ordered.length > 0 && !named.has(ZERO_HASH) && missing === 0) problems.push("the receipts follow each other in a circle");
  return { missing, problems };
}

/** R7, and that each sum continues the one before. */
function sumProblems(ordered: readonly Link[]): string[] {
  const problems: string[] = [];
  const byHash = new Map(ordered.map((link) => [link.hash, link.entry.signed.receipt]));
  const rates = new Set(ordered.flatMap(({ entry }) => entry.ratePerSecond ?? []));
  if (rates.size > 1) problems.push("the stream has several rates");
  const rate = [...rates][0] ?? commonRate(ordered.map(({ entry }) => entry.signed.receipt));
  if (rate === undefined) problems.push("no rate per second explains all amounts");
  for (const { entry } of ordered) {
    const { receipt } = entry.signed;
    const { startedAtMs, firstTokenAtMs, endedAtMs, servedMs, amount, cumulativeServedMs, cumulativeAmount, previousReceiptHash } = receipt;
    const before = previousReceiptHash === ZERO_HASH ? { cumulativeServedMs: 0, cumulativeAmount: 0n } : byHash.get(previousReceiptHash);
    const claims: readonly [boolean, string][] = [
      [
        endedAtMs >= startedAtMs && (firstTokenAtMs === 0 || (firstTokenAtMs >= startedAtMs && firstTokenAtMs <= endedAtMs)),
        "has times in a wrong order",
      ],
      [servedMs <= cumulativeServedMs && amount <= cumulativeAmount, "claims more than its own sum"],
      [rate === undefined || cumulativeAmount === costDown(rate, cumulativeServedMs), "asks for another amount than its time costs"],
      [!before || before.cumulativeServedMs + servedMs === cumulativeServedMs, "does not add up (time)"],
      [!before || before.cumulativeAmount + amount === cumulativeAmount, "does not add up (amount)"],
    ];
    for (const [holds, words] of claims) if (!holds) problems.push(`${nameOf(entry.signed)} ${words}`);
  }
  return problems;
}

/** A rate for which `amount = floor(rate × ms / 1000)` holds everywhere, when the source names none. */
function commonRate(receipts: readonly Receipt[]): bigint | undefined {
  let [low, high] = [0n, 2n ** 128n];
  for (const { cumulativeServedMs, cumulativeAmount } of receipts) {
    if (cumulativeServedMs === 0) {
      if (cumulativeAmount !== 0n) return undefined;
      continue;
    }
    const ms = BigInt(cumulativeServedMs);
    const least = (cumulativeAmount * 1000n + ms - 1n) / ms;
    const most = ((cumulativeAmount + 1n) * 1000n - 1n) / ms;
    low = least > low ? least : low;
    high = most < high ? most : high;
  }
  return low <= high ? low : undefined;
}

const nameOf = ({ receipt }: SignedReceipt): string => `receipt ${receipt.requestId}`;

/** Throws PROVIDER_DISHONEST naming the first problem. */
export function assertClean(bills: readonly StreamBill[]): void {
  const wrong = bills.filter(({ problems }) => problems.length > 0);
  const [first] = wrong;
  if (!first) return;
  throw new AppError("PROVIDER_DISHONEST", `Receipts of ${wrong.length} of ${bills.length} streams do not hold.`, {
    facts: { streamId: String(first.streamId), problem: first.problems[0] ?? "" },
    hint: "Keep the file: a signed receipt that does not add up is proof against its signer.",
  });
}
