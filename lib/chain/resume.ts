import { type Hash, type Hex, keccak256, type LocalAccount, parseTransaction } from "viem";
import { AppError } from "../errors/index.ts";
import { broadcast } from "./broadcast.ts";
import { confirm } from "./confirm.ts";
import type { Chain } from "./connect.ts";
import { currentFees, type Fees, feeCap, raiseFees } from "./fees.ts";
import { browserClock, type ChainClock, type ChainLogger } from "./ports.ts";
import { reading } from "./reading.ts";
import { sendQueueOf } from "./sendQueue.ts";

/** A transaction as it was signed, kept before any endpoint saw it. */
export interface SignedTransaction {
  readonly nonce: number;
  readonly hash: Hash;
  readonly raw: Hex;
}

export interface ResumeOptions {
  readonly chain: Chain;
  readonly account: LocalAccount;
  readonly signed: SignedTransaction;
  readonly logger: ChainLogger;
  readonly clock?: ChainClock;
  readonly signal?: AbortSignal;
  readonly replaceAfterMs?: number;
  readonly giveUpAfterMs?: number;
  /** Never more than this for a unit of gas, in wei, not even to be mined sooner. */
  readonly maxFeePerGas?: bigint;
  /** Called for each better paid replacement. */
  readonly onSent?: (hash: Hash) => void;
}

/**
 * Finds out what became of a transaction that an earlier process signed: its bytes are offered again, which can only ever be
 * mined once, and waited for. "mined": it happened, successfully or not. "replaced": its nonce went to another one, so it never will.
 * Throws TRANSACTION_UNCERTAIN.
 */
export async function resumeTransaction(options: ResumeOptions): Promise<"mined" | "replaced"> {
  const { chain, account, signed, logger, clock = browserClock, signal, maxFeePerGas, onSent = () => {} } = options;
  const { blockTimeMs } = chain.network;
  const parsed = parseTransaction(signed.raw);
  const queue = sendQueueOf(chain, account.address);
  return queue.inTurn(async () => {
    const count = await reading(() => chain.client.getTransactionCount({ address: account.address }));
    if (count <= signed.nonce) await broadcast(chain, signed.raw);
    try {
      await confirm({
        chain,
        from: account.address,
        nonce: signed.nonce,
        first: { hash: signed.hash, raw: signed.raw, fees: feesOf(parsed) },
        reprice: async (previous) => {
          const fees = raiseFees(previous, await currentFees(chain));
          if (maxFeePerGas !== undefined && feeCap(fees) > maxFeePerGas) return undefined;
          const balance = await chain.client.getBalance({ address: account.address });
          if (balance < (parsed.value ?? 0n) + (parsed.gas ?? 0n) * feeCap(fees)) return undefined;
          const raw = await account.signTransaction({ ...parsed, ...pricesOf(fees) } as Parameters<LocalAccount["signTransaction"]>[0]);
          return { hash: keccak256(raw), raw, fees };
        },
        onSent,
        signal,
        clock,
        logger,
        replaceAfterMs: options.replaceAfterMs ?? Math.max(15_000, 10 * blockTimeMs),
        giveUpAfterMs: options.giveUpAfterMs ?? 120_000,
      });
      return "mined";
    } catch (thrown) {
      if (AppError.from(thrown).code === "TRANSACTION_REPLACED") return "replaced";
      throw thrown;
    }
  });
}

type Parsed = ReturnType<typeof parseTransaction>;

function feesOf({ gasPrice, maxFeePerGas = 0n, maxPriorityFeePerGas = 0n }: Parsed): Fees {
  if (gasPrice !== undefined) return { kind: "legacy", gasPrice, expected: gasPrice };
  return { kind: "dynamic", maxFeePerGas, maxPriorityFeePerGas, expected: maxFeePerGas };
}

const pricesOf = (fees: Fees) =>
  fees.kind === "legacy"
    ? { gasPrice: fees.gasPrice }
    : { maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas };
