import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, connectChain, createdStreamId, createSender, readStream, type Sender, streamPayWrites } from "@clawcompute/lib/chain";
import { createMetrics, systemClock } from "@clawcompute/lib/node";
import {
  createRecordingLogger,
  devAccounts,
  type LocalChain,
  type RpcProxy,
  startLocalChain,
  startRpcProxy,
} from "@clawcompute/lib/testing";
import { type Address, parseEther, zeroAddress } from "viem";
import { createKeeper, type KeeperParts } from "../keeper.ts";
import { createOpenStreams, type OpenStreams } from "../openStreams.ts";
import { nativeOnly } from "../plan.ts";
import { openRecords } from "../records.ts";
import { chainSource } from "../sources.ts";
import { createTurns } from "../turns.ts";

type Account = (typeof devAccounts)[number];
export const [payee, payer, keeperAccount, otherKeeper] = [1, 2, 4, 5].map((index) => devAccounts[index]) as [
  Account,
  Account,
  Account,
  Account,
];

/** A chain whose blocks come when a test asks for them, a faulty line to it, and a list of streams as the watcher would keep it. */
export interface KeeperWorld {
  readonly local: LocalChain;
  readonly proxy: RpcProxy;
  readonly chain: Chain;
  readonly faulty: Chain;
  streams(): OpenStreams;
  /** Forgets the streams and the faults of the test before. */
  fresh(): void;
  /** A sender whose transactions are mined as soon as they are out. */
  miningSender(account: Account, on?: Chain): Sender;
  open(value: bigint, durationSeconds: number, recipient?: Address): Promise<bigint>;
  keeperOf(
    parts?: Partial<KeeperParts>,
    config?: Partial<KeeperParts["config"]>,
  ): {
    round: ReturnType<typeof createKeeper>;
    logger: ReturnType<typeof createRecordingLogger>;
    metrics: KeeperParts["metrics"];
    parts: KeeperParts;
  };
  credit(account: Address): Promise<bigint>;
  nonceOf(account: Address): Promise<number>;
  stop(): Promise<void>;
}

export async function startKeeperWorld(): Promise<KeeperWorld> {
  const local = await startLocalChain({ blockTimeMs: 0 });
  await local.setBalance(payer.address, parseEther("1000000000"));
  const proxy = await startRpcProxy(local.rpcUrl);
  const chain = connectChain({ ...local.network, blockTimeMs: 100 });
  const faulty = connectChain({ ...chain.network, rpcUrls: [proxy.url] });
  let streams = createOpenStreams();

  const miningSender = (account: Account, on: Chain = chain): Sender => {
    const sender = createSender({ chain: on, account, logger: createRecordingLogger() });
    return {
      ...sender,
      send: (call, options) =>
        sender.send(call, {
          ...options,
          onSent: (hash) => {
            options?.onSent?.(hash);
            void local.mine();
          },
        }),
    };
  };

  async function open(value: bigint, durationSeconds: number, recipient: Address = payee.address): Promise<bigint> {
    const sent = await miningSender(payer).send(
      streamPayWrites.createStream({ recipient, durationSeconds, serviceType: 0, providerId: 0, value }),
    );
    const id = createdStreamId(sent.receipt);
    const { start, end, ratePerSecond } = await readStream(chain, id);
    const place = { blockNumber: sent.blockNumber, blockHash: sent.receipt.blockHash, logIndex: 0, transactionHash: sent.hash };
    const times = { ratePerSecond, start: BigInt(start), end: BigInt(end) };
    const args = { id, payee: recipient, asset: zeroAddress, providerId: 0n, ...times };
    const mark = { number: sent.blockNumber, hash: sent.receipt.blockHash };
    streams.apply([{ contract: "streamPay", name: "StreamCreated", args, ...place }], mark);
    return id;
  }

  function keeperOf(given: Partial<KeeperParts> = {}, config: Partial<KeeperParts["config"]> = {}) {
    const logger = createRecordingLogger();
    const metrics = createMetrics("keeper", false);
    const sender = given.sender ?? miningSender(keeperAccount);
    const on = given.chain ?? chain;
    const everyMs = config.everyMs ?? 30_000;
    const parts: KeeperParts = {
      chain,
      sender,
      source: chainSource(() => streams.values()),
      turns: createTurns({ chain: on, own: sender.account.address, everyMs, clock: systemClock }),
      records: openRecords(undefined),
      clock: systemClock,
      logger: logger as never,
      metrics,
      ...given,
      config: {
        everyMs,
        maxBatch: 500,
        minProfitWei: 0n,
        completeAtLoss: false,
        maxLossWei: parseEther("0.01"),
        worth: nativeOnly,
        caps: { gasPerHourWei: parseEther("1"), gasPerDayWei: parseEther("1"), lossPerDayWei: parseEther("1") },
        ...config,
      },
    };
    return { round: createKeeper(parts), logger, metrics, parts };
  }

  return {
    local,
    proxy,
    chain,
    faulty,
    streams: () => streams,
    fresh: () => {
      streams = createOpenStreams();
      proxy.decide(() => "pass");
    },
    miningSender,
    open,
    keeperOf,
    credit: (account) =>
      chain.client.readContract({
        address: chain.network.contracts.streamPay,
        abi: streamPayAbi,
        functionName: "creditOf",
        args: [account, zeroAddress],
      }),
    nonceOf: (address) => chain.client.getTransactionCount({ address, blockTag: "pending" }),
    stop: async () => {
      await proxy.stop();
      await local.stop();
    },
  };
}
