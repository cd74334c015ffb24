import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, currentFees, decodeRevert, readStream, resumeTransaction, type Sender, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger, Metrics } from "@clawcompute/lib/node";
import { type Address, type Hash, isAddressEqual, type TransactionReceipt, zeroAddress } from "viem";
import type { KeeperConfig } from "./config.ts";
import { keeperMetrics } from "./keeperMetrics.ts";
import { accruedAt, type OpenStream } from "./openStreams.ts";
import { type Batch, type Candidate, gasModel, modelledGas, type PlanOptions, planBatches } from "./plan.ts";
import { type BatchRecord, decideCap, type PendingBatch, type Records } from "./records.ts";
import type { Source } from "./sources.ts";
import { readPendingIds, type Turns } from "./turns.ts";
import { updatesOf } from "./updates.ts";

export interface KeeperParts {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly source: Source;
  readonly turns: Turns;
  readonly records: Records;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "debug" | "info" | "warn" | "error">;
  readonly metrics: Metrics;
  readonly config: Pick<KeeperConfig, "everyMs" | "maxBatch" | "minProfitWei" | "completeAtLoss" | "maxLossWei" | "worth" | "caps">;
}

export interface Settled {
  readonly ids: readonly bigint[];
  readonly hash: string;
  readonly rewardWei: bigint;
  readonly feeWei: bigint;
  readonly completed: number;
}

const IDS_PER_PREVIEW = 100;
const REWARD_DIVISOR = 1000n;
/** The most gas that a transaction may ask for since EIP-7825. */
const TRANSACTION_GAS = 16_777_216n;
const RESUME_MS = 60_000;
/** No update costs less than this, whatever an endpoint estimates. */
const leastGas = (streams: number) => 21_000n + 7_000n * BigInt(streams);

/** One round: finish what is out, find what accrued, decide, act. Returns what was sent. */
export function createKeeper(parts: KeeperParts): (signal: AbortSignal) => Promise<Settled[]> {
  const { chain, sender, source, turns, records, clock, logger, config } = parts;
  const own = sender.account.address;
  const count = keeperMetrics(parts.metrics);

  async function preview(ids: readonly bigint[]) {
    const { streamPay } = chain.network.contracts;
    const pages = Array.from({ length: Math.ceil(ids.length / IDS_PER_PREVIEW) }, (_, page) =>
      ids.slice(page * IDS_PER_PREVIEW, (page + 1) * IDS_PER_PREVIEW),
    );
    const read = await Promise.all(
      pages.map((args) =>
        chain.client
          .readContract({ address: streamPay, abi: streamPayAbi, functionName: "previewBatchUpdate", args: [args], account: own })
          .catch((thrown) => Promise.reject(decodeRevert(thrown))),
      ),
    );
    return { previews: read.flatMap(([previews]) => previews), nativeReward: read.reduce((sum, [, reward]) => sum + reward, 0n) };
  }

  /** What the chain says that these ids bring now, without those that bring nothing. */
  async function verify({ ids, purpose }: Batch, known: ReadonlyMap<bigint, OpenStream>, gasPrice: bigint, now: number) {
    const first = await preview(ids);
    const isTold = source.name === "indexer";
    const tokens = await Promise.all(
      ids.map(async (id) => {
        const told = known.get(id)?.asset ?? zeroAddress;
        return told === zeroAddress || !isTold ? told : (await readStream(chain, id)).asset;
      }),
    );
    const kept: { id: bigint; asset: Address; reward: bigint }[] = [];
    let wrong = 0;
    for (const [index, id] of ids.entries()) {
      const { accrued = 0n, reward = 0n, completes = false } = first.previews[index] ?? {};
      const stream = known.get(id);
      const asset = tokens[index] as Address;
      if (stream && (accrued < accruedAt(stream, now) || !isAddressEqual(asset, stream.asset))) wrong += 1;
      const useful = purpose === "profit" ? config.worth(asset, reward) > gasModel.perStream * gasPrice : completes;
      if (useful) kept.push({ id, asset, reward });
    }
    const final = kept.length === ids.length ? first : await preview(kept.map(({ id }) => id));
    const nativeClaimed = kept.reduce((sum, { asset, reward }) => (asset === zeroAddress ? sum + reward : sum), 0n);
    if (isTold && (wrong * 2 > ids.length || final.nativeReward * 2n < nativeClaimed)) source.doubt();
    const tokenWorth = kept.reduce((sum, { asset, reward }) => (asset === zeroAddress ? sum : sum + config.worth(asset, reward)), 0n);
    return { ids: kept.map(({ id }) => id), rewardWei: final.nativeReward + tokenWorth };
  }

  /** Simulates as it would be sent, then sends. A batch that reverts is halved until what stops it is alone. */
  async function act(batch: Batch, known: ReadonlyMap<bigint, OpenStream>, maxGas: bigint, now: number): Promise<Settled[]> {
    const { purpose } = batch;
    try {
      const { expected } = await currentFees(chain);
      const { ids, rewardWei } = await verify(batch, known, expected, now);
      if (ids.length === 0) {
        count.batches.inc({ outcome: "taken" });
        logger.debug({ ids: batch.ids.map(String), purpose }, "nothing of it is left");
        return [];
      }
      const streams = ids.map((id) => known.get(id) as OpenStream);
      const modelled = modelledGas(streams, gasModel);
      const call = { ...streamPayWrites.batchUpdateStreams(ids), gasFloor: modelled < maxGas ? modelled : maxGas };
      const { gas: estimated, gasPrice } = await sender.estimate(call);
      const gas = larger(estimated, leastGas(ids.length));
      const feeWei = gas * gasPrice;
      const profit = rewardWei - feeWei;
      const wanted = purpose === "profit" ? profit > 0n && profit >= config.minProfitWei : profit >= -config.maxLossWei;
      const facts = { ids: ids.map(String), purpose, rewardWei: String(rewardWei), feeWei: String(feeWei) };
      if (!wanted) {
        count.batches.inc({ outcome: "skipped" });
        logger.debug(facts, "the simulation says that it does not pay");
        return [];
      }
      const budget = purpose === "profit" ? rewardWei - config.minProfitWei : rewardWei + config.maxLossWei;
      const maxFeePerGas = larger(budget / gas, gasPrice);
      const cap = decideCap(records, config.caps, { feeWei, lossWei: larger(-profit, 0n) }, clock.now());
      if (cap) {
        count.batches.inc({ outcome: "capped" });
        throw new AppError("BUDGET_EXCEEDED", "The keeper's spending cap is reached; it waits.", {
          facts: { cap, feeWei: String(feeWei) },
        });
      }
      // Not stoppable from here on: a transaction that is out is waited for.
      const { receipt } = await sender.send(call, {
        maxFeePerGas,
        onSigned: async (signed) =>
          records.setPending({
            ...signed,
            atMs: clock.now(),
            keeper: own,
            hashes: [signed.hash],
            ids: ids.map(String),
            purpose,
            maxFeeWei: String(larger(feeWei, modelled * maxFeePerGas)),
          }),
        onSent: rememberHash,
      });
      return [close(receipt)];
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === "BUDGET_EXCEEDED") throw error;
      const refused = error.code === "TRANSACTION_REVERTED" || error.code.startsWith("STREAM_PAY_");
      if (!refused || error.facts.hash !== undefined) {
        count.batches.inc({ outcome: "failed" });
        await forget(error);
        throw error;
      }
      records.setPending(undefined);
      count.batches.inc({ outcome: "refused" });
      const { ids } = batch;
      logger.warn({ ids: ids.map(String), code: error.code, facts: error.facts }, "a batch was refused in simulation");
      if (ids.length === 1) return [];
      const middle = ids.length >> 1;
      const first = await act({ ...batch, ids: ids.slice(0, middle) }, known, maxGas, now);
      return [...first, ...(await act({ ...batch, ids: ids.slice(middle) }, known, maxGas, now))];
    }
  }

  function rememberHash(hash: Hash): void {
    const pending = records.pending();
    if (pending && !pending.hashes.includes(hash)) records.setPending({ ...pending, hashes: [...pending.hashes, hash] });
  }

  /** What is certain not to be out any more is not looked for again. */
  async function forget({ code, facts }: AppError): Promise<void> {
    const pending = records.pending();
    if (!pending || code === "TRANSACTION_UNCERTAIN") return;
    if (typeof facts.hash === "string") close(await chain.client.getTransactionReceipt({ hash: facts.hash as Hash }));
    else records.setPending(undefined);
  }

  /** Finds out what became of a transaction that an earlier round, or an earlier process, sent. False: not known yet. */
  async function finish(signal: AbortSignal): Promise<boolean> {
    const pending = records.pending();
    if (!pending) return true;
    const { nativeReward } = await preview(pending.ids.map(BigInt));
    const gas = gasModel.base + gasModel.perStream * BigInt(pending.ids.length);
    const budget = pending.purpose === "profit" ? nativeReward : nativeReward + config.maxLossWei;
    const shared = { chain, account: sender.account, signed: pending, logger, clock, signal, onSent: rememberHash };
    let outcome: "mined" | "replaced";
    try {
      outcome = await resumeTransaction({ ...shared, maxFeePerGas: budget / gas, giveUpAfterMs: RESUME_MS });
    } catch (thrown) {
      const { code } = AppError.from(thrown);
      if (code !== "TRANSACTION_UNCERTAIN") throw thrown;
      logger.warn({ hash: pending.hash, nonce: pending.nonce }, "an earlier batch is still not mined; nothing else is sent");
      return false;
    }
    const { hashes } = records.pending() as PendingBatch;
    const receipts = await Promise.all(hashes.map((hash) => chain.client.getTransactionReceipt({ hash }).catch(() => undefined)));
    const receipt = receipts.find((found) => found !== undefined);
    const hash = receipt?.transactionHash ?? pending.hash;
    // What replaced it may have been an offer of ours at a better price.
    if (receipt) close(receipt);
    else if (outcome === "mined") add(pending, { outcome: "unknown", feeWei: pending.maxFeeWei });
    else records.setPending(undefined);
    logger.info({ hash, happened: receipt !== undefined || outcome === "mined" }, "an earlier batch is done");
    return true;
  }

  function add(pending: PendingBatch, record: Partial<BatchRecord>): void {
    const { keeper, hash, nonce, purpose } = pending;
    const empty = { block: null, updated: 0, completed: 0, rewardWei: "0", worthWei: "0", tokens: {}, gasUsed: "0", feeWei: "0" };
    records.add({ atMs: clock.now(), keeper, hash, nonce, purpose, outcome: "updated", ...empty, ...record });
    records.setPending(undefined);
  }

  /** Books a mined transaction by what its events say. */
  function close(receipt: TransactionReceipt): Settled {
    const pending = records.pending() as PendingBatch;
    const { transactionHash: hash, blockNumber, gasUsed } = receipt;
    const { updated, completed, rewardWei, tokens } = updatesOf(receipt, chain);
    const feeWei = gasUsed * receipt.effectiveGasPrice;
    const worth = Object.entries(tokens).reduce((sum, [token, reward]) => sum + config.worth(token as Address, reward), rewardWei);
    const profitWei = worth - feeWei;
    const { purpose } = pending;
    add(pending, {
      hash,
      outcome: receipt.status === "reverted" ? "reverted" : updated === 0 ? "nothing-left" : "updated",
      block: String(blockNumber),
      updated,
      completed,
      rewardWei: String(rewardWei),
      worthWei: String(worth),
      tokens: Object.fromEntries(Object.entries(tokens).map(([token, reward]) => [token, String(reward)])),
      gasUsed: String(gasUsed),
      feeWei: String(feeWei),
    });
    count.booked({ updated, completed, rewardWei, feeWei, profitable: profitWei > 0n });
    const sums = { rewardWei: String(rewardWei), feeWei: String(feeWei), profitWei: String(profitWei), gasUsed: String(gasUsed) };
    const fields = { hash, purpose, updated, completed, ...sums };
    // Somebody else's batch may come first in a block; then ours finds nothing and costs its gas.
    if (purpose === "profit" && profitWei <= 0n) {
      turns.beaten();
      logger.warn(fields, "another keeper was faster");
    } else {
      if (purpose === "profit") turns.paid();
      logger.info(fields, "streams updated");
    }
    return { ids: pending.ids.map(BigInt), hash, rewardWei, feeWei, completed };
  }

  return async (signal) => {
    const began = clock.now();
    if (!(await finish(signal))) return [];
    await turns.look().catch((thrown) => logger.debug({ err: decodeRevert(thrown) }, "could not look for other keepers"));
    const [block, { expected: gasPrice }, taken] = await Promise.all([
      chain.client.getBlock().catch((thrown) => Promise.reject(decodeRevert(thrown))),
      currentFees(chain),
      readPendingIds(chain, own),
    ]);
    const now = Number(block.timestamp);
    const share = gasModel.perStream * gasPrice;
    const worthwhile = (asset: Address) => leastReward(asset, share, config.worth) * REWARD_DIVISOR;
    const started = performance.now();
    const found = await source.find({ now, worthwhile, ended: config.completeAtLoss });
    const known = new Map(found.map((stream) => [stream.id, stream]));
    for (const id of taken) known.delete(id);
    const candidates = [...known.values()].map((stream) => candidateOf(stream, now));
    const limit = block.gasLimit < TRANSACTION_GAS ? block.gasLimit : TRANSACTION_GAS;
    // The sender asks for a fifth more than the estimate.
    const options: PlanOptions = { ...config, gasPrice, gas: gasModel, maxGas: (limit * 10n) / 12n - 100_000n };
    let planned = planBatches(candidates, options);
    if (planned.length > 1 && turns.rivals() > 0) {
      planned = planBatches(
        candidates.filter(({ id }) => turns.isMine(id)),
        options,
      );
    }
    count.planned({ source, rivals: turns.rivals(), seconds: (performance.now() - started) / 1000 });
    logger.debug(
      { source: source.name, open: source.open, worthwhile: found.length, batches: planned.length, gasPrice: String(gasPrice) },
      "looked at the streams",
    );
    const settled: Settled[] = [];
    for (const batch of planned) {
      // What is left after a while is planned anew: prices and streams have moved on.
      if (signal.aborted || (settled.length > 0 && clock.now() - began > config.everyMs)) break;
      try {
        settled.push(...(await act(batch, known, options.maxGas, now)));
      } catch (thrown) {
        const { code, facts } = AppError.from(thrown);
        if (code !== "BUDGET_EXCEEDED") throw thrown;
        logger.warn({ facts }, "the spending cap is reached");
        break;
      }
    }
    return settled;
  };
}

function candidateOf(stream: OpenStream, now: number): Candidate {
  const { id, payee, asset, providerId, end } = stream;
  return { id, payee, asset, providerId, reward: accruedAt(stream, now) / REWARD_DIVISOR, completes: now >= end };
}

const NEVER = 2n ** 256n;

/** The reward in this asset that is worth `wei`; one that is worth nothing is never enough. */
function leastReward(asset: Address, wei: bigint, worth: PlanOptions["worth"]): bigint {
  if (asset === zeroAddress) return wei;
  const unit = 10n ** 30n;
  const price = worth(asset, unit);
  return price === 0n ? NEVER : (wei * unit) / price;
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b);
