import type { Chain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { PERMIT2_ADDRESS } from "@clawcompute/lib/protocol/payments";
import { type Address, type Hash, isAddressEqual, type PublicClient, parseAbi, parseAbiItem } from "viem";
import type { Balances } from "./balances.ts";
import type { Known, Transfers } from "./transfers.ts";

/** What a crash cut between its reservation and its end: the chain says what became of it. */
export interface Recovery {
  /** Whether there is anything of the kind; asks the store only. */
  isWaiting(): Promise<boolean>;
  /** In the wallet's turn, when nothing that was signed earlier is on its way: what is not on the chain then never will be. */
  recover(signal: AbortSignal): Promise<void>;
}

export interface RecoveryOptions {
  readonly chain: Chain;
  readonly payee: Address;
  readonly transfers: Transfers;
  readonly balances: Balances;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Left to whoever reserved it for this time: replicas share the store. */
  readonly graceMs: number;
}

/** "unused": it did not happen. "elsewhere": the authorization went to something that did not pay us. */
type Outcome = { readonly paid: Hash } | "unused" | "elsewhere" | "unknown";

/** An endpoint that has not seen the transaction's nonce may be late; after this time it is not. */
const LATE_MS = 60_000;
const RANGE = 2_000n;
const abi = parseAbi([
  "function authorizationState(address,bytes32) view returns (bool)",
  "function nonceBitmap(address,uint256) view returns (uint256)",
]);
const transferEvent = parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)");

export function createRecovery({ chain, payee, transfers, balances, clock, logger, graceMs }: RecoveryOptions): Recovery {
  const leftOver = () => transfers.leftOver(clock.now() - graceMs);

  /** Every endpoint is asked; one that is behind the others cannot hide a payment. */
  async function outcomeOf(transfer: Known): Promise<Outcome> {
    if (transfer.kind === "refund" && transfer.walletNonce === null) return "unused";
    const answers = await Promise.all(chain.endpoints.map((endpoint) => ask(endpoint, transfer)));
    const paid = answers.find((answer) => typeof answer === "object");
    if (paid) return paid;
    if (answers.includes("unknown")) return "unknown";
    return answers.includes("elsewhere") ? "elsewhere" : "unused";
  }

  /** All of one answer is as of one block. */
  async function ask(client: PublicClient, transfer: Known): Promise<Outcome> {
    const { kind, walletNonce, createdAtMs } = transfer;
    const blockNumber = (await client.getBlockNumber()) - BigInt(Math.max(0, chain.network.confirmations - 1));
    const used = kind === "refund" || (await isUsed(client, transfer, blockNumber));
    const paid = used ? await find(client, transfer, blockNumber) : undefined;
    if (paid) return { paid };
    if (kind === "funding" && used) return "elsewhere";
    const isLate = walletNonce !== null && (await client.getTransactionCount({ address: payee, blockNumber })) <= walletNonce;
    return isLate && clock.now() - createdAtMs < LATE_MS ? "unknown" : "unused";
  }

  async function isUsed(client: PublicClient, { intent }: Known, blockNumber: bigint): Promise<boolean> {
    if (!intent?.paid) return true;
    const { method, nonce } = intent.paid;
    const { payer, asset: address } = intent;
    if (method === "eip3009") {
      return client.readContract({ address, abi, functionName: "authorizationState", args: [payer, nonce], blockNumber });
    }
    const args = [payer, BigInt(nonce) >> 8n] as const;
    const bitmap = await client.readContract({ address: PERMIT2_ADDRESS, abi, functionName: "nonceBitmap", args, blockNumber });
    return ((bitmap >> (BigInt(nonce) & 255n)) & 1n) === 1n;
  }

  /** The transaction that moved the tokens: ours by its nonce, or another's that used the payer's authorization. */
  async function find(client: PublicClient, { kind, intent, amount, walletNonce }: Known, last: bigint): Promise<Hash | undefined> {
    if (!intent) return undefined;
    const { asset: address, payer, sinceBlock, paid } = intent;
    const args = kind === "refund" ? { from: payee, to: payer } : { from: payer, to: payee };
    for (let fromBlock = BigInt(sinceBlock); fromBlock <= last; fromBlock += RANGE) {
      const toBlock = fromBlock + RANGE - 1n < last ? fromBlock + RANGE - 1n : last;
      const logs = await client.getLogs({ address, event: transferEvent, args, fromBlock, toBlock });
      for (const { args: moved, transactionHash: hash } of logs) {
        if (moved.value !== amount) continue;
        const { from, nonce, input } = await client.getTransaction({ hash });
        const ours = isAddressEqual(from, payee)
          ? nonce === walletNonce
          : paid !== undefined && (await names(client, hash, input, paid.nonce));
        if (ours && !(await transfers.isTaken(hash))) return hash;
      }
    }
    return undefined;
  }

  async function names(client: PublicClient, hash: Hash, input: string, nonce: string): Promise<boolean> {
    if (input.includes(nonce.slice(2))) return true;
    const { logs } = await client.getTransactionReceipt({ hash });
    return logs.some(({ topics }) => topics.some((topic) => topic === nonce));
  }

  async function settle(transfer: Known): Promise<void> {
    const { key, kind, payment, amount, intent } = transfer;
    const outcome = await outcomeOf(transfer);
    if (outcome === "unknown" || !intent) return;
    if (typeof outcome === "string") {
      await transfers.giveUp(transfer, outcome === "unused" ? "released" : "failed");
    } else if (kind === "refund") {
      await balances.refunded({ key, payment, amount, hash: outcome.paid });
    } else if (intent.paid) {
      const { providerId, ratePerSecond } = intent.paid;
      const terms = { providerId, payer: intent.payer, asset: intent.asset, ratePerSecond: BigInt(ratePerSecond) };
      await balances.fund({ key, payment, amount, hash: outcome.paid, terms, told: false });
    }
    logger.info({ key, kind, outcome: typeof outcome === "string" ? outcome : "paid" }, "a transfer that was cut short is settled");
  }

  return {
    isWaiting: async () => (await leftOver()).length > 0,
    recover: async (signal) => {
      for (const transfer of await leftOver()) {
        signal.throwIfAborted();
        await settle(transfer).catch((thrown) => {
          logger.warn({ code: AppError.from(thrown).code, key: transfer.key }, "a transfer's outcome could not be found out yet");
        });
      }
    },
  };
}
