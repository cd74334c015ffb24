import { AppError, errorKinds } from "@clawcompute/lib/errors";
import { expect, it } from "vitest";
import { exitCodeHelp, exitCodeOf, exitCodes } from "./exitCodes.ts";

it("behavior: every code of the system has an exit code, and the help explains each", () => {
  const known = new Set<number>(Object.values(exitCodes));
  for (const code of Object.keys(errorKinds)) expect([code, known.has(exitCodeOf(new AppError(code, "x")))]).toEqual([code, true]);
  for (const value of known) expect(exitCodeHelp).toMatch(new RegExp(`^  ${value} `, "m"));
});

it.each([
  ["CONFIG_INVALID", 2],
  ["BAD_AMOUNT", 2],
  ["CONTEXT_TOO_LONG", 2],
  ["UPSTREAM_REFUSED", 2],
  ["NO_PROVIDER", 3],
  ["COMPUTE_REGISTRY_UNKNOWN_PROVIDER", 8],
  ["WALLET_UNFUNDED", 4],
  ["WALLET_LOCKED", 4],
  ["PROVIDER_UNREACHABLE", 5],
  ["PROVIDER_DISHONEST", 5],
  ["PROVIDER_TIMEOUT", 5],
  ["UPSTREAM_FAILED", 5],
  ["ENDPOINT_REFUSED", 5],
  ["RUNWAY_TOO_SHORT", 5],
  ["BUSY", 5],
  ["TOKEN_UNKNOWN", 5],
  ["STREAM_UNKNOWN", 5],
  ["WRONG_CHAIN", 5],
  ["ANSWER_CUT", 6],
  ["DEPOSIT_ABOVE_LIMIT", 7],
  ["PRICE_ABOVE_CAP", 7],
  ["CHAIN_UNAVAILABLE", 8],
  ["CHAIN_STALE", 8],
  ["TRANSACTION_UNCERTAIN", 8],
  ["STREAM_PAY_UNKNOWN_STREAM", 8],
  ["ABORTED", 130],
  ["INTERNAL", 1],
  ["SOMETHING_NEW", 1],
])("behavior: %s exits %i", (code, exit) => {
  expect(exitCodeOf(new AppError(code, "x"))).toBe(exit);
});
