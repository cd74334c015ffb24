import { paymentChannelAbi, streamPayAbi } from "@clawcompute/lib/abi";
import type { Chain } from "@clawcompute/lib/chain";
import { decodeRevert } from "@clawcompute/lib/chain";
import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import { queryOptions } from "@tanstack/react-query";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { journalOf } from "./journal.ts";
import { ledgerOnce, type StreamEntry } from "./ledger.ts";
import { fromEither, type IndexerReader, refresh, type Source } from "./source.tsx";

/** Open streams that pay this wallet, newest first, each as the chain itself has it now. */
export const incomingStreamsQuery = (source: Source, payee: Address | undefined) =>
  queryOptions({
    queryKey: ["incoming", source.chain.network.chainId, payee],
    queryFn: async ({ client }) => {
      const streams = await fromEither(
        source,
        (indexer) => readIncoming(indexer, payee as Address),
        async () => {
          const { streams } = ledgerOnce((await journalOf(client, source.chain)).events);
          return [...streams.values()].filter((entry) => isAddressEqual(entry.payee, payee as Address));
        },
      );
      return stillOpen(source.chain, streams);
    },
    enabled: payee !== undefined,
    refetchInterval: refresh(source.chain),
  });

const MOST_STREAMS = 500;

async function readIncoming(indexer: IndexerReader, payee: Address): Promise<StreamEntry[]> {
  const { items } = await indexer.get("streams", { payee, status: "open", sort: "id", limit: MOST_STREAMS });
  return items.map(streamFromWire);
}

export function streamFromWire(wire: IndexerAnswer<"streams">["items"][number]): StreamEntry {
  const { id, payer, payee, asset, ratePerSecond, start, end, lastPaid, providerId, paid, refunded, closedAt } = wire;
  const times = { start, end, lastPaid, closedAt: closedAt ?? undefined };
  const amounts = { ratePerSecond: BigInt(ratePerSecond), paid: BigInt(paid), refunded: BigInt(refunded) };
  return { id: BigInt(id), payer, payee, asset, providerId, ...times, ...amounts };
}

/** The streams' state at the newest block; what is gone by now is left out. */
async function stillOpen({ client, network }: Chain, streams: readonly StreamEntry[]): Promise<StreamEntry[]> {
  const candidates = streams
    .filter(({ closedAt }) => closedAt === undefined)
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, MOST_STREAMS);
  const streamPay = { address: network.contracts.streamPay, abi: streamPayAbi } as const;
  try {
    const states = await Promise.all(
      candidates.map(({ id }) => client.readContract({ ...streamPay, functionName: "getStream", args: [id] })),
    );
    return candidates.flatMap((entry, index) => {
      const state = states[index];
      // A closed stream is all zero.
      return state && state.payer !== zeroAddress ? [{ ...entry, end: state.end, lastPaid: state.lastPaid }] : [];
    });
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}

/** Money set aside for an account, to be collected from one of the contracts. */
export interface Credit {
  readonly contract: "streamPay" | "paymentChannel";
  readonly asset: Address;
  readonly amount: bigint;
}

/** What an account can collect, as the chain itself says, in every asset that was ever credited to it. */
export const creditsQuery = (source: Source, account: Address | undefined) =>
  queryOptions({
    queryKey: ["credits", source.chain.network.chainId, account],
    queryFn: async ({ client }) => {
      const owner = account as Address;
      const places = await fromEither(
        source,
        async (indexer) => (await indexer.get("credits", { account: owner, all: "true", limit: 100 })).items,
        async () => {
          const { events } = await journalOf(client, source.chain);
          return events.flatMap(({ name, contract, args }) =>
            name === "CreditAdded" && contract !== "registry" && isAddressEqual(args.account as Address, owner)
              ? [{ contract, asset: args.asset as Address }]
              : [],
          );
        },
      );
      const asked = [{ contract: "streamPay" as const, asset: zeroAddress as Address }, ...places];
      const distinct = [...new Map(asked.map(({ contract, asset }) => [`${contract} ${asset}`, { contract, asset }])).values()];
      return readCredits(source.chain, owner, distinct);
    },
    enabled: account !== undefined,
    refetchInterval: refresh(source.chain),
  });

async function readCredits({ client, network }: Chain, account: Address, places: readonly Omit<Credit, "amount">[]): Promise<Credit[]> {
  const abis = { streamPay: streamPayAbi, paymentChannel: paymentChannelAbi } as const;
  try {
    const credits = await Promise.all(
      places.map(async ({ contract, asset }) => ({
        contract,
        asset,
        amount: await client.readContract({
          address: network.contracts[contract],
          abi: abis[contract] as typeof streamPayAbi,
          functionName: "creditOf",
          args: [account, asset],
        }),
      })),
    );
    return credits.filter(({ amount }) => amount > 0n);
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}
