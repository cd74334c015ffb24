import { readFileSync } from "node:fs";
import { connectChain, readOffer } from "@clawcompute/lib/chain";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { encodeSignedReceipt } from "@clawcompute/lib/protocol";
import { isAddressEqual } from "viem";
import { type CommandContext, errorLine, errorReport } from "../command.ts";
import { exitCodeOf, exitCodes } from "../exitCodes.ts";
import { printable, table } from "../terminal.ts";
import { receiptsFileOf } from "./config.ts";
import { homeOf, type KeptReceipt, parseReceipts, readJournal } from "./journal.ts";
import { assertClean, type StreamBill, verifyReceipts } from "./verifyReceipts.ts";

export interface VerifyFlags {
  /** Also ask the chain whether the signers are the providers'. */
  readonly chain?: boolean;
}

/** `claw receipts verify`: checks signatures, chains and sums, and rebuilds the bill from them alone. */
export async function receiptsVerifyMain(files: readonly string[], flags: VerifyFlags, context: CommandContext): Promise<number> {
  const { env, terminal, json } = context;
  const network = networkFromEnv(env);
  const offline = await verifyReceipts(readAll(files, context));
  const bills = flags.chain ? await checkSigners(offline, env) : offline;
  let failure: AppError | undefined;
  try {
    assertClean(bills);
  } catch (thrown) {
    failure = AppError.from(thrown);
  }
  if (json) {
    const total = bills.reduce((sum, { owedWei }) => sum + owedWei, 0n);
    const report = { streams: bills.map(billReport), totalWei: String(total), valid: failure === undefined };
    terminal.out(`${JSON.stringify({ ...report, ...(failure ? { error: errorReport(failure) } : {}) })}\n`);
  } else {
    terminal.out(billsText(bills, network.nativeSymbol));
    if (failure) terminal.err(errorLine(failure));
  }
  return failure ? exitCodeOf(failure) : exitCodes.done;
}

export interface ExportFlags {
  readonly format?: string;
  readonly stream?: string;
}

/** `claw receipts export`: one row or object for each receipt, oldest first. Checks nothing. */
export async function receiptsExportMain(
  files: readonly string[],
  { format, stream }: ExportFlags,
  context: CommandContext,
): Promise<number> {
  const { terminal, json } = context;
  const wanted = json ? "json" : (format ?? "csv");
  if (wanted !== "csv" && wanted !== "json") {
    throw new AppError("BAD_REQUEST", "format must be csv or json.", { param: "format", hint: "Correct --format." });
  }
  const kept = unique(readAll(files, context))
    .filter(({ signed }) => stream === undefined || String(BigInt(signed.receipt.payment)) === stream)
    .sort((a, b) => a.signed.receipt.endedAtMs - b.signed.receipt.endedAtMs);
  terminal.out(
    wanted === "json"
      ? `${JSON.stringify(kept.map(({ signed, ...rest }) => ({ ...wire(rest), ...encodeSignedReceipt(signed) })))}\n`
      : csv(kept),
  );
  return exitCodes.done;
}

function readAll(files: readonly string[], { env }: CommandContext): KeptReceipt[] {
  const home = homeOf({ network: networkFromEnv(env) });
  if (files.length === 0) return readJournal(receiptsFileOf(env), home, true);
  return files.flatMap((file) => (file === "-" ? parseReceipts(readFileSync(0, "utf8"), home, "standard input") : readJournal(file, home)));
}

const wire = ({ chainId, streamPay, ratePerSecond }: Omit<KeptReceipt, "signed">) => ({
  chainId,
  streamPay,
  ...(ratePerSecond === undefined ? {} : { ratePerSecond: String(ratePerSecond) }),
});

/** A receipt that was kept twice is one receipt. */
function unique(kept: readonly KeptReceipt[]): KeptReceipt[] {
  return [...new Map(kept.map((entry) => [`${entry.chainId} ${entry.signed.signature}`, entry])).values()];
}

const columns = [
  ["ended", ({ signed }) => new Date(signed.receipt.endedAtMs).toISOString()],
  ["chain_id", ({ chainId }) => String(chainId)],
  ["stream_id", ({ signed }) => String(BigInt(signed.receipt.payment))],
  ["provider_id", ({ signed }) => String(signed.receipt.providerId)],
  ["model", ({ signed }) => signed.receipt.model],
  ["request_id", ({ signed }) => signed.receipt.requestId],
  ["served_ms", ({ signed }) => String(signed.receipt.servedMs)],
  ["units_in", ({ signed }) => String(signed.receipt.unitsIn)],
  ["units_out", ({ signed }) => String(signed.receipt.unitsOut)],
  ["amount_wei", ({ signed }) => String(signed.receipt.amount)],
  ["cumulative_wei", ({ signed }) => String(signed.receipt.cumulativeAmount)],
  ["reason", ({ signed }) => signed.receipt.reason],
  ["signer", ({ signed }) => signed.signer],
  ["body_hash", ({ signed }) => signed.receipt.bodyHash],
] as const satisfies readonly (readonly [string, (entry: KeptReceipt) => string])[];

function csv(kept: readonly KeptReceipt[]): string {
  const lines = [columns.map(([name]) => name), ...kept.map((entry) => columns.map(([, read]) => cell(read(entry))))];
  return `${lines.map((cells) => cells.join(",")).join("\r\n")}\r\n`;
}

/** Text of strangers must neither break a row nor run as a formula in a spreadsheet. */
function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

async function checkSigners(bills: readonly StreamBill[], env: CommandContext["env"]): Promise<StreamBill[]> {
  const chain = connectChain(networkFromEnv(env));
  return Promise.all(
    bills.map(async (bill) => {
      if (bill.chainId !== chain.network.chainId) return { ...bill, problems: [...bill.problems, `it is on chain ${bill.chainId}`] };
      const { owner, signer } = await readOffer(chain, bill.providerId);
      const strangers = bill.signers.filter((address) => !isAddressEqual(address, owner) && !(signer && isAddressEqual(address, signer)));
      return {
        ...bill,
        problems: [...bill.problems, ...strangers.map((address) => `${address} does not sign for provider ${bill.providerId} now`)],
      };
    }),
  );
}

const billReport = ({ streamId, owedWei, settledWei, ...bill }: StreamBill) => ({
  ...bill,
  streamId: String(streamId),
  owedWei: String(owedWei),
  settledWei: settledWei === undefined ? null : String(settledWei),
});

function billsText(bills: readonly StreamBill[], symbol: string): string {
  if (bills.length === 0) return "No receipts.\n";
  const total = bills.reduce((sum, { owedWei }) => sum + owedWei, 0n);
  const answers = bills.reduce((sum, bill) => sum + bill.answers, 0);
  const rows = bills.map(({ streamId, providerId, model, answers, servedMs, owedWei, missing, problems }) =>
    [
      String(streamId),
      String(providerId),
      model,
      String(answers),
      `${(servedMs / 1000).toFixed(3)} s`,
      `${formatAmount(owedWei)} ${symbol}`,
      problems.length > 0 ? "wrong" : missing > 0 ? `${missing} missing` : "good",
    ].map(printable),
  );
  const wrong = bills.flatMap(({ streamId, problems }) => problems.map((problem) => `stream ${streamId}: ${printable(problem)}\n`));
  return [
    table(["STREAM", "PROVIDER", "MODEL", "ANSWERS", "SERVED", "OWED", "RECEIPTS"], rows),
    `\n${answers} answers on ${bills.length} streams cost ${formatAmount(total)} ${symbol}.\n`,
    ...wrong,
  ].join("");
}
