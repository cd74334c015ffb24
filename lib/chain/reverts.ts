import { type Abi, decodeErrorResult, type Hex, isHex, parseAbi, size, slice } from "viem";
import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "../abi/index.ts";
import { AppError, type Facts } from "../errors/index.ts";
import { remedies } from "./remedies.ts";

const tokenErrors = parseAbi([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
  "error ERC2612ExpiredSignature(uint256 deadline)",
  "error ERC2612InvalidSigner(address signer, address owner)",
  "error SafeERC20FailedOperation(address token)",
]);

/** Every custom error that our contracts, or a token called by them, can answer with. */
const errorAbi: Abi = [...computeRegistryAbi, ...streamPayAbi, ...paymentChannelAbi, ...tokenErrors].filter(
  (item) => item.type === "error",
) as Abi;

/** StreamPay_RateBelowPrice → STREAM_PAY_RATE_BELOW_PRICE */
export function codeOfError(solidityName: string): string {
  return solidityName
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();
}

/**
 * Anything thrown by a chain call as an AppError: a contract's refusal under its own code with its arguments as facts and a
 * remedy as hint, an empty wallet, or an endpoint that does not answer. What it does not know keeps the raw revert data.
 */
export function decodeRevert(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const causes = chainOfCauses(thrown);
  const aborted = causes.find((cause) => (cause as { name?: unknown }).name === "AbortError");
  if (aborted && !causes.some((cause) => (cause as { name?: unknown }).name === "TimeoutError")) {
    return new AppError("ABORTED", "The chain call was given up.", { cause: thrown });
  }
  const data = revertDataOf(causes);
  if (data !== undefined && data !== "0x") return fromRevertData(data, thrown);
  const text = causes.map((cause) => `${(cause as Error).message ?? ""} ${(cause as { details?: string }).details ?? ""}`).join("\n");
  if (/insufficient funds|insufficient balance for transfer|gas \* price \+ value|OutOfFunds/i.test(text)) {
    return new AppError("WALLET_UNFUNDED", "The wallet cannot pay for this transaction.", { cause: thrown });
  }
  if (data === "0x" || /execution reverted|reverted/i.test(text)) {
    return new AppError("TRANSACTION_REVERTED", "The contract refused without a reason.", { facts: { data: "0x" }, cause: thrown });
  }
  if (causes.some(isTransport))
    return new AppError("CHAIN_UNAVAILABLE", "The chain's RPC endpoint did not answer as it should.", { cause: thrown });
  if (causes.some((cause) => typeof (cause as { code?: unknown }).code === "number")) {
    const code = (causes.find((cause) => typeof (cause as { code?: unknown }).code === "number") as { code: number }).code;
    return new AppError("CHAIN_UNAVAILABLE", "The chain's RPC endpoint answered with an error.", {
      facts: { rpcCode: code, reason: lastLine(text) },
      cause: thrown,
    });
  }
  return AppError.from(thrown);
}

function fromRevertData(data: Hex, cause: unknown): AppError {
  let decoded: { errorName: string; args?: readonly unknown[] | undefined; abiItem: unknown };
  try {
    decoded = decodeErrorResult({ abi: errorAbi, data });
  } catch {
    return new AppError("TRANSACTION_REVERTED", `The contract refused with ${describeUnknown(data)}.`, {
      facts: { data: data.slice(0, 522) },
      cause,
    });
  }
  const { errorName, args = [] } = decoded;
  if (errorName === "Error" || errorName === "Panic") {
    const reason = errorName === "Error" ? String(args[0]).slice(0, 200) : `panic code ${String(args[0])}`;
    return new AppError("TRANSACTION_REVERTED", `The contract refused: ${reason}.`, { facts: { reason, data: data.slice(0, 522) }, cause });
  }
  const inputs = (decoded.abiItem as { inputs?: readonly { name?: string }[] }).inputs ?? [];
  const facts: Facts = Object.fromEntries(args.map((value, index) => [inputs[index]?.name || `arg${index}`, factOf(value)]));
  const hint = remedies[errorName];
  const shared = { ...(hint ? { hint } : {}), cause };
  const ours = /^(ComputeRegistry|StreamPay|PaymentChannel)_/.test(errorName);
  if (!ours)
    return new AppError("TRANSACTION_REVERTED", `The call was refused: ${errorName}.`, {
      ...shared,
      facts: { error: errorName, ...facts },
    });
  return new AppError(codeOfError(errorName), `The contract refused: ${wordsOf(errorName)}.`, { ...shared, facts });
}

/** "StreamPay_RateBelowPrice" → "rate below price" */
function wordsOf(errorName: string): string {
  const reason = errorName.slice(errorName.indexOf("_") + 1);
  return reason.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}

function factOf(value: unknown): Facts[string] {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
  if (Array.isArray(value)) return value.map(String);
  return String(value);
}

function describeUnknown(data: Hex): string {
  return size(data) >= 4 ? `the unknown error ${slice(data, 0, 4)}` : "unreadable data";
}

function chainOfCauses(thrown: unknown): object[] {
  const causes: object[] = [];
  let current = thrown;
  while (typeof current === "object" && current !== null && causes.length < 20) {
    causes.push(current);
    current = (current as { cause?: unknown }).cause;
  }
  return causes;
}

/** Nodes put the data in different places: as a string, one level deeper, or as hex behind words. */
function revertDataOf(causes: readonly object[]): Hex | undefined {
  for (const cause of [...causes].reverse()) {
    const { data, raw } = cause as { data?: unknown; raw?: unknown };
    for (const candidate of [raw, data, (data as { data?: unknown } | undefined)?.data]) {
      if (typeof candidate !== "string") continue;
      if (isHex(candidate, { strict: true })) return candidate;
      const hex = /^Reverted (0x[0-9a-f]*)$/i.exec(candidate)?.[1];
      if (hex) return hex as Hex;
    }
  }
  return undefined;
}

const transportNames = new Set(["HttpRequestError", "TimeoutError", "WebSocketRequestError", "SocketClosedError", "FetchError"]);

function isTransport(cause: object): boolean {
  return transportNames.has((cause as { name?: string }).name ?? "") || (cause instanceof TypeError && /fetch/i.test(cause.message));
}

function lastLine(text: string): string {
  const line =
    text
      .split("\n")
      .map((part) => part.trim())
      .filter(Boolean)
      .at(-1) ?? "";
  return line.replace(/https?:\/\/\S+/g, "…").slice(0, 200);
}
