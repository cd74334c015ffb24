import { type Address, encodeFunctionData, type Hash, type Hex, keccak256, type LocalAccount, type TransactionReceipt } from "viem";
import { AppError } from "../errors/index.ts";
import { formatAmount } from "../money/index.ts";
import { broadcast, isKnown } from "./broadcast.ts";
import { type Attempt, confirm, uncertain } from "./confirm.ts";
import type { Chain } from "./connect.ts";
import { capFees, currentFees, type Fees, feeCap, raiseFees } from "./fees.ts";
import { browserClock, type ChainClock, type ChainLogger } from "./ports.ts";
import { reading } from "./reading.ts";
import type { SignedTransaction } from "./resume.ts";
import { decodeRevert } from "./reverts.ts";
import { sendQueueOf } from "./sendQueue.ts";
import type { ContractCall } from "./writes.ts";

export interface SentTransaction {
  readonly hash: Hash;
  readonly blockNumber: bigint;
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly feeWei: bigint;
  readonly receipt: TransactionReceipt;
}

export interface SendOptions {
  /** Before the transaction is out it stops with ABORTED; afterwards with TRANSACTION_UNCERTAIN. */
  readonly signal?: AbortSignal;
  /** Called for each hash that may be mined: the first one, then each better paid replacement. */
  readonly onSent?: (hash: Hash) => void;
  /** Never more than this for a unit of gas, in wei, not even to be mined sooner. */
  readonly maxFeePerGas?: bigint;
  /** Called before anything leaves this process. */
  readonly onPrepared?: (nonce: number) => void;
  /** Awaited before the signed bytes leave this process; when it throws, nothing was sent. Replacements share the nonce and are not told. */
  readonly onSigned?: (signed: SignedTransaction) => Promise<void>;
}

export interface Estimate {
  readonly gas: bigint;
  /** Wei for a unit of gas that it will probably pay. */
  readonly gasPrice: bigint;
  readonly feeWei: bigint;
}

/** Sends one wallet's transactions, one after the other, each exactly once. */
export interface Sender {
  readonly account: LocalAccount;
  /** Throws the contract's refusal (nothing sent), WALLET_UNFUNDED, TRANSACTION_REVERTED, TRANSACTION_REPLACED or TRANSACTION_UNCERTAIN. */
  send(call: ContractCall, options?: SendOptions): Promise<SentTransaction>;
  /** Simulates without sending. Throws the contract's refusal. */
  estimate(call: ContractCall): Promise<Estimate>;
}

export interface SenderOptions {
  readonly chain: Chain;
  readonly account: LocalAccount;
  readonly logger: ChainLogger;
  readonly clock?: ChainClock;
  /** Time without a receipt after which the price is raised. Default 15 s, at least ten blocks. */
  readonly replaceAfterMs?: number;
  /** Time after which the outcome is given up as uncertain. Default 10 minutes. */
  readonly giveUpAfterMs?: number;
  /** How long a transaction whose sending was not answered is looked for. Default 6 s, at least six blocks. */
  readonly lostReplyMs?: number;
}

export function createSender(options: SenderOptions): Sender {
  const { chain, account, logger, clock = browserClock } = options;
  const { blockTimeMs } = chain.network;
  const replaceAfterMs = options.replaceAfterMs ?? Math.max(15_000, 10 * blockTimeMs);
  const giveUpAfterMs = options.giveUpAfterMs ?? 600_000;
  const lostReplyMs = options.lostReplyMs ?? Math.max(6_000, 6 * blockTimeMs);
  const queue = sendQueueOf(chain, account.address);

  async function send(call: ContractCall, sendOptions: SendOptions = {}): Promise<SentTransaction> {
    const { signal, maxFeePerGas, onSent = () => {} } = sendOptions;
    const request = requestOf(chain, account.address, call);
    const { nonce, gas, attempt } = await queue.inTurn(() => prepareAndOffer(request, call, sendOptions));
    try {
      const receipt = await confirm({
        chain,
        from: account.address,
        nonce,
        first: attempt,
        reprice: async (previous) => {
          const fees = raiseFees(previous, await currentFees(chain));
          if (maxFeePerGas !== undefined && feeCap(fees) > maxFeePerGas) return undefined;
          const balance = await chain.client.getBalance({ address: account.address });
          return balance < (request.value ?? 0n) + gas * feeCap(fees) ? undefined : sign(request, nonce, gas, fees);
        },
        onSent,
        signal,
        clock,
        logger,
        replaceAfterMs,
        giveUpAfterMs,
      });
      if (receipt.status === "reverted") throw await minedRevert(chain, request, receipt, call);
      logger.debug({ hash: receipt.transactionHash, call: call.functionName, gasUsed: String(receipt.gasUsed) }, "transaction mined");
      const { transactionHash: hash, blockNumber, gasUsed, effectiveGasPrice } = receipt;
      return { hash, blockNumber, gasUsed, effectiveGasPrice, feeWei: gasUsed * effectiveGasPrice, receipt };
    } finally {
      queue.release(nonce);
    }
  }

  async function prepareAndOffer(
    request: Request,
    call: ContractCall,
    { signal, maxFeePerGas, onPrepared, onSigned, onSent }: SendOptions,
  ) {
    for (let tries = 1; ; tries += 1) {
      const { gas, fees } = await price(request, call.gasFloor, maxFeePerGas);
      const nonce = queue.nextNonce(
        await reading(() => chain.client.getTransactionCount({ address: account.address, blockTag: "pending" })),
      );
      onPrepared?.(nonce);
      const attempt = await sign(request, nonce, gas, fees);
      if (signal?.aborted) throw new AppError("ABORTED", "Stopped before the transaction was sent.", { cause: signal.reason });
      await onSigned?.({ nonce, hash: attempt.hash, raw: attempt.raw });
      const outcome = await broadcast(chain, attempt.raw);
      if (outcome.kind === "unsent") throw outcome.error;
      if (outcome.kind === "refused") {
        if (!outcome.staleNonce || tries >= 4) throw outcome.error;
        logger.debug({ nonce, call: call.functionName }, "the nonce is taken; asking for a new one");
        await clock.sleep(blockTimeMs, signal).catch(() => {});
        continue;
      }
      onSent?.(attempt.hash);
      // Nobody else may use this key until it is known whether the nonce is taken.
      if (outcome.kind === "lost" && !(await isKnown(chain, attempt.hash, lostReplyMs, clock))) {
        throw uncertain([attempt], nonce, "the endpoint did not answer and does not know it", outcome.cause);
      }
      queue.take(nonce);
      logger.debug({ hash: attempt.hash, nonce, call: call.functionName }, "transaction sent");
      return { nonce, gas, attempt };
    }
  }

  /** Simulates, and checks that the wallet can pay the most that this may cost. */
  async function price(request: Request, gasFloor = 0n, maxFeePerGas?: bigint): Promise<{ gas: bigint; fees: Fees }> {
    const [estimated, market, balance] = await Promise.all([
      simulate(chain, request),
      currentFees(chain),
      reading(() => chain.client.getBalance({ address: account.address })),
    ]);
    const fees = capFees(market, maxFeePerGas);
    const padded = (estimated * 12n) / 10n;
    const gas = (padded > gasFloor ? padded : gasFloor) + unlikeAnyOther();
    const needed = (request.value ?? 0n) + gas * feeCap(fees);
    if (balance < needed) throw unfunded(chain, account.address, balance, needed);
    return { gas, fees };
  }

  async function sign(request: Request, nonce: number, gas: bigint, fees: Fees): Promise<Attempt> {
    const { to, data, value } = request;
    const shared = { chainId: chain.network.chainId, to, data, ...(value === undefined ? {} : { value }), nonce, gas };
    const raw: Hex = await account.signTransaction(
      fees.kind === "legacy"
        ? { type: "legacy", ...shared, gasPrice: fees.gasPrice }
        : { type: "eip1559", ...shared, maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas },
    );
    return { hash: keccak256(raw), raw, fees };
  }

  return {
    account,
    send,
    estimate: async (call) => {
      const [gas, fees] = await Promise.all([simulate(chain, requestOf(chain, account.address, call)), currentFees(chain)]);
      return { gas, gasPrice: fees.expected, feeWei: gas * fees.expected };
    },
  };
}

/**
 * Two programs with one wallet may make the same call with the same nonce at the same time. Were all the bytes the same, both
 * would take the one transaction that is mined for their own; so each asks for a little more gas of its own, which costs nothing.
 */
function unlikeAnyOther(): bigint {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint8Array(2));
  return BigInt(high * 256 + low);
}

interface Request {
  readonly from: Address;
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint | undefined;
}

function requestOf(chain: Chain, from: Address, { contract, abi, functionName, args, value }: ContractCall): Request {
  const to =
    contract in chain.network.contracts ? chain.network.contracts[contract as keyof typeof chain.network.contracts] : (contract as Address);
  return { from, to, data: encodeFunctionData({ abi, functionName, args }), value };
}

/** Gas needed now. Throws the contract's refusal, or WALLET_UNFUNDED when the value alone is more than the wallet holds. */
async function simulate(chain: Chain, { from, to, data, value = 0n }: Request): Promise<bigint> {
  try {
    return await chain.client.estimateGas({ account: from, to, data, value });
  } catch (thrown) {
    const error = decodeRevert(thrown);
    if (value > 0n && (error.code === "WALLET_UNFUNDED" || error.code === "TRANSACTION_REVERTED" || error.code === "CHAIN_UNAVAILABLE")) {
      const balance = await reading(() => chain.client.getBalance({ address: from }));
      if (balance < value) throw unfunded(chain, from, balance, value, error);
    }
    if (error.code !== "TRANSACTION_REVERTED") throw error;
    // Some nodes give a revert's data for a call only.
    await reading(() => chain.client.call({ account: from, to, data, value }));
    throw error;
  }
}

function unfunded(chain: Chain, address: Address, balance: bigint, needed: bigint, cause?: unknown): AppError {
  const { chainId, nativeSymbol } = chain.network;
  const coins = (wei: bigint) => `${formatAmount(wei)} ${nativeSymbol}`;
  return new AppError("WALLET_UNFUNDED", `The wallet holds ${coins(balance)}; this transaction needs at least ${coins(needed)}.`, {
    facts: { address, chainId, balanceWei: String(balance), neededWei: String(needed) },
    hint: `Send at least ${coins(needed - balance)} to ${address} on chain ${chainId}.`,
    cause,
  });
}

/** Mined, but refused by the contract: gas was spent and nothing else happened. The reason is replayed on the state just before. */
async function minedRevert(
  chain: Chain,
  { from, to, data, value }: Request,
  receipt: TransactionReceipt,
  call: ContractCall,
): Promise<AppError> {
  const replayed = await chain.client
    .call({ account: from, to, data, ...(value === undefined ? {} : { value }), blockNumber: receipt.blockNumber - 1n })
    .then(() => undefined, decodeRevert);
  return new AppError("TRANSACTION_REVERTED", `${call.functionName} was mined and refused; only gas was spent.`, {
    facts: { hash: receipt.transactionHash, gasUsed: String(receipt.gasUsed), reason: replayed?.code ?? null },
    hint: replayed?.hint ?? "Something changed between the simulation and the block; look at the state and try again.",
    cause: replayed,
  });
}
