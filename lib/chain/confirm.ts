import type { Address, Hash, Hex, TransactionReceipt } from "viem";
import { AppError } from "../errors/index.ts";
import { broadcast } from "./broadcast.ts";
import type { Chain } from "./connect.ts";
import type { Fees } from "./fees.ts";
import type { ChainClock, ChainLogger } from "./ports.ts";
import { decodeRevert } from "./reverts.ts";

/** One signing of a transaction. Replacements share its nonce, so at most one of them is ever mined. */
export interface Attempt {
  readonly hash: Hash;
  readonly raw: Hex;
  readonly fees: Fees;
}

export interface Confirming {
  readonly chain: Chain;
  readonly from: Address;
  readonly nonce: number;
  readonly first: Attempt;
  /** Signs the same transaction at a higher price; undefined when the wallet cannot pay more. */
  readonly reprice: (previous: Fees) => Promise<Attempt | undefined>;
  readonly onSent: (hash: Hash) => void;
  readonly signal: AbortSignal | undefined;
  readonly clock: ChainClock;
  readonly logger: ChainLogger;
  readonly replaceAfterMs: number;
  readonly giveUpAfterMs: number;
}

const maxReplacements = 10;
/** A receipt may reach an endpoint later than the nonce does. */
const pollsUntilReplaced = 6;

/**
 * Waits until the transaction has its confirmations, raising its price while it is not mined. Throws TRANSACTION_REPLACED when
 * another transaction took the nonce, TRANSACTION_UNCERTAIN when it gives up or is aborted: it may still be mined then.
 */
export async function confirm(options: Confirming): Promise<TransactionReceipt> {
  const { chain, from, nonce, signal, clock, logger, replaceAfterMs, giveUpAfterMs } = options;
  const attempts = [options.first];
  const startedAt = clock.now();
  let offeredAt = startedAt;
  let pollsWithForeignNonce = 0;
  for (;;) {
    try {
      const receipt = await findReceipt(chain, attempts);
      if (receipt) {
        if (await isDeepEnough(chain, receipt)) return receipt;
        pollsWithForeignNonce = 0;
      } else if ((await chain.client.getTransactionCount({ address: from })) > nonce) {
        pollsWithForeignNonce += 1;
        if (pollsWithForeignNonce >= pollsUntilReplaced) throw replacedError(attempts, nonce);
      } else {
        pollsWithForeignNonce = 0;
        if (clock.now() - offeredAt >= replaceAfterMs) {
          offeredAt = clock.now();
          await offerAgain(options, attempts);
        }
      }
    } catch (thrown) {
      const error = decodeRevert(thrown);
      if (error.code === "TRANSACTION_REPLACED") throw error;
      logger.debug({ code: error.code, hash: attempts[0]?.hash }, "could not look for the receipt");
    }
    if (clock.now() - startedAt >= giveUpAfterMs)
      throw uncertain(attempts, nonce, `no receipt within ${Math.round(giveUpAfterMs / 1000)} s`);
    await clock.sleep(Math.max(50, Math.floor(chain.network.blockTimeMs / 2)), signal).catch((cause) => {
      throw uncertain(attempts, nonce, "the wait was given up", cause);
    });
  }
}

export function uncertain(attempts: readonly Attempt[], nonce: number, reason: string, cause?: unknown): AppError {
  return new AppError("TRANSACTION_UNCERTAIN", `It is not known whether the transaction was mined: ${reason}.`, {
    facts: { nonce, hashes: attempts.map((attempt) => attempt.hash) },
    cause,
  });
}

function replacedError(attempts: readonly Attempt[], nonce: number): AppError {
  return new AppError("TRANSACTION_REPLACED", `Another transaction of the same wallet took nonce ${nonce}; this one did not happen.`, {
    facts: { nonce, hashes: attempts.map((attempt) => attempt.hash) },
    hint: "Use a wallet for one program only, then try again.",
  });
}

/** Gives the last bytes out again, in case a node forgot them, and better paid ones. */
async function offerAgain({ chain, reprice, onSent, logger, nonce }: Confirming, attempts: Attempt[]): Promise<void> {
  const last = attempts.at(-1) as Attempt;
  await broadcast(chain, last.raw);
  const next = attempts.length <= maxReplacements ? await reprice(last.fees) : undefined;
  if (!next) return;
  const outcome = await broadcast(chain, next.raw);
  if (outcome.kind === "refused" || outcome.kind === "unsent") {
    logger.debug({ code: outcome.error.code, nonce }, "a replacement was not taken");
    return;
  }
  attempts.push(next);
  onSent(next.hash);
  logger.info({ hash: next.hash, replaces: last.hash, nonce }, "offered more for a transaction that is not mined yet");
}

async function findReceipt(chain: Chain, attempts: readonly Attempt[]): Promise<TransactionReceipt | undefined> {
  const found = await Promise.all(
    attempts.map(({ hash }) =>
      chain.client.getTransactionReceipt({ hash }).catch((thrown) => {
        if ((thrown as Error).name === "TransactionReceiptNotFoundError") return undefined;
        throw thrown;
      }),
    ),
  );
  return found.find((receipt) => receipt !== undefined);
}

async function isDeepEnough(chain: Chain, receipt: TransactionReceipt): Promise<boolean> {
  const { confirmations } = chain.network;
  if (confirmations <= 1) return true;
  return (await chain.client.getBlockNumber()) >= receipt.blockNumber + BigInt(confirmations - 1);
}
