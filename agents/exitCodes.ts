import { type AppError, errorKindOf } from "@clawcompute/lib/errors";

/** What a command's exit says; part of the interface, so numbers never change their meaning. */
export const exitCodes = {
  done: 0,
  internal: 1,
  badInput: 2,
  noProvider: 3,
  wallet: 4,
  providerFailed: 5,
  answerCut: 6,
  limit: 7,
  chain: 8,
  interrupted: 130,
} as const;

export const exitCodeHelp = `Exit codes:
  0    everything went well; for ask: a whole answer, paid as served
  1    an error of this program
  2    bad input or configuration
  3    no provider offers this
  4    the wallet is missing, locked or without funds
  5    the provider failed or was dishonest; only time served was paid
  6    the answer was cut; only time served was paid
  7    a price or spending limit forbids it
  8    the chain cannot be reached, or a transaction's outcome is unknown
  130  interrupted; open streams were ended`;

const byCode: Readonly<Record<string, number>> = {
  CONFIG_INVALID: exitCodes.badInput,
  DEV_KEY_ON_PUBLIC_CHAIN: exitCodes.badInput,
  STREAM_UNKNOWN: exitCodes.providerFailed,
  UNSUPPORTED: exitCodes.badInput,
  ASSET_MISMATCH: exitCodes.badInput,
  NO_PROVIDER: exitCodes.noProvider,
  MODEL_NOT_FOUND: exitCodes.noProvider,
  WALLET_UNFUNDED: exitCodes.wallet,
  WALLET_LOCKED: exitCodes.wallet,
  WALLET_MISSING: exitCodes.wallet,
  ANSWER_CUT: exitCodes.answerCut,
  PRICE_ABOVE_CAP: exitCodes.limit,
  BUDGET_EXCEEDED: exitCodes.limit,
  DEPOSIT_ABOVE_LIMIT: exitCodes.limit,
  CONTRACT_MISSING: exitCodes.chain,
  ABORTED: exitCodes.interrupted,
  INTERNAL: exitCodes.internal,
};

export function exitCodeOf({ code }: AppError): number {
  const listed = byCode[code];
  if (listed !== undefined) return listed;
  if (/^(CHAIN|TRANSACTION|STREAM_PAY|COMPUTE_REGISTRY|PAYMENT_CHANNEL)_/.test(code)) return exitCodes.chain;
  const { status, type } = errorKindOf(code);
  if (type === "invalid_request_error" || status === 413) return exitCodes.badInput;
  return status === 500 ? exitCodes.internal : exitCodes.providerFailed;
}
