import { setTimeout as wait } from "node:timers/promises";
import { computeRegistryAbi, streamPayAbi } from "@clawcompute/lib/abi";
import type { Chain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { devAccounts, readArtifact } from "@clawcompute/lib/testing";
import { type Address, encodeDeployData, encodeFunctionData, getContractAddress, type HDAccount, type Hex, parseEther, toHex } from "viem";

export interface SeedSize {
  readonly providers: number;
  readonly streams: number;
}

export interface SeedOptions extends SeedSize {
  /** A local chain: the payers' coins come from nowhere. */
  readonly chain: Chain;
  /** Default: 50 models of no real provider. */
  readonly models?: readonly string[];
  /** Wei per second; offers ask for this to twice as much. Default: above every provider of `npm start`. */
  readonly price?: bigint;
  /** Mines a block; left out where blocks come by themselves. */
  readonly mine?: () => Promise<void>;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** Owners of the offers, and payers of each other's streams. */
const CROWDS = 10;
const OFFERS_AT_ONCE = 250;
const STREAMS_AT_ONCE = 1_000;
/** Nobody listens there: whoever asks is refused at once. */
const ENDPOINT = "http://127.0.0.1:1/";
const DURATION = 7n * 86_400n;
const GAS = 100_000_000n;
const models = Array.from({ length: 50 }, (_, index) => `seed-model-${String(index + 1).padStart(2, "0")}`);

const seeder = devAccounts[9] as HDAccount;

/**
 * Fills a local chain with offers whose endpoints answer nobody, and with streams, all through the contracts' own functions. The order
 * of its transactions is fixed, so the seeder's nonce says how far an earlier call came: the next one goes on there.
 */
export async function seed(options: SeedOptions): Promise<void> {
  const { chain, providers, streams, price = parseEther("0.0002"), mine, onProgress = () => {}, signal } = options;
  const { client, network } = chain;
  const { registry, streamPay } = network.contracts;
  const { abi, bytecode } = readArtifact("Crowd", "mocks/Crowd.sol");
  const crowd = (index: number): Address => getContractAddress({ from: seeder.address, nonce: BigInt(index % CROWDS) });
  const call = (index: number, functionName: string, args: unknown[]) => ({
    to: crowd(index),
    data: encodeFunctionData({ abi, functionName, args }),
  });
  const firstOffer = new Map<number, Promise<bigint>>();
  const firstOfferOf = (index: number) => {
    const known = firstOffer.get(index % CROWDS) ?? readFirstOffer(chain, crowd(index));
    firstOffer.set(index % CROWDS, known);
    return known;
  };

  const steps: (() => Promise<{ to?: Address; data: Hex }> | { to?: Address; data: Hex })[] = [
    ...Array.from({ length: CROWDS }, () => () => ({ data: encodeDeployData({ abi, bytecode, args: [] }) })),
    ...parts(providers, OFFERS_AT_ONCE).map(
      ([first, count], index) =>
        () =>
          call(index, "register", [registry, options.models ?? models, ENDPOINT, price, BigInt(first), BigInt(count)]),
    ),
    ...parts(streams, STREAMS_AT_ONCE).map(([first, count], index) => async () => {
      const payee = index + 1;
      const offers = Math.min(OFFERS_AT_ONCE, providers - (payee % CROWDS) * OFFERS_AT_ONCE);
      const known =
        offers > 0 ? { payee, offer: await firstOfferOf(payee), offers } : { payee: 0, offer: await firstOfferOf(0), offers: 1 };
      const rate = 2n * price;
      return call(index, "open", [
        streamPay,
        crowd(known.payee),
        known.offer,
        BigInt(known.offers),
        rate,
        DURATION,
        BigInt(first),
        BigInt(count),
      ]);
    }),
  ];

  for (let index = 0; index < CROWDS; index += 1) await setBalance(chain, crowd(index), parseEther("1000000000000"));
  await setBalance(chain, seeder.address, parseEther("10000"));
  let next = await client.getTransactionCount({ address: seeder.address });
  while (next < steps.length) {
    signal?.throwIfAborted();
    const raw = await seeder.signTransaction({
      chainId: network.chainId,
      type: "eip1559",
      nonce: next,
      gas: next < CROWDS ? 3_000_000n : GAS,
      maxFeePerGas: parseEther("0.000001"),
      maxPriorityFeePerGas: 1_000_000_000n,
      ...(await (steps[next] as (typeof steps)[number])()),
    });
    await client.request({ method: "eth_sendRawTransaction", params: [raw] });
    // A block for each: whoever follows the events reads block by block, and a thousand events in one are plenty.
    await mine?.();
    while ((await client.getTransactionCount({ address: seeder.address })) <= next) await wait(20, undefined, signal ? { signal } : {});
    next += 1;
    onProgress(next, steps.length);
  }
  const [[offers], opened] = await Promise.all([
    client.readContract({ address: registry, abi: computeRegistryAbi, functionName: "getRegistryStats" }),
    client.readContract({ address: streamPay, abi: streamPayAbi, functionName: "getProtocolStats" }),
  ]);
  if (offers < providers || opened < streams)
    throw new AppError("TRANSACTION_REVERTED", "Seeding was refused by the contracts.", {
      facts: { offers: String(offers), streams: String(opened) },
      hint: "A chain that was seeded with another size cannot go on: begin a new one with --fresh.",
    });
}

const parts = (total: number, size: number) =>
  Array.from({ length: Math.ceil(total / size) }, (_, index): [first: number, count: number] => [
    index * size,
    Math.min(size, total - index * size),
  ]);

async function readFirstOffer({ client, network }: Chain, owner: Address): Promise<bigint> {
  const args = [owner, 0n, 1n] as const;
  const ids = await client.readContract({
    address: network.contracts.registry,
    abi: computeRegistryAbi,
    functionName: "getWalletProviders",
    args,
  });
  return ids[0] as bigint;
}

function setBalance({ client }: Chain, address: Address, wei: bigint): Promise<unknown> {
  return client.request({ method: "hardhat_setBalance", params: [address, toHex(wei)] } as never);
}
