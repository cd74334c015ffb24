import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, chainTimeMs, decodeRevert, readOffer, readStream, type StreamState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { Settlement, Signer } from "@clawcompute/lib/protocol";
import { type Address, getAbiItem } from "viem";
import { makeProof } from "./attempt.ts";
import type { OpenStream, Payment } from "./payment.ts";
import type { ProviderClient } from "./providerClient.ts";
import { verifySettlement } from "./verify.ts";

const streamCreated = getAbiItem({ abi: streamPayAbi, name: "StreamCreated" });
const LARGEST_RANGE = 50_000n;
const SMALLEST_RANGE = 100n;

/** A stream of a wallet that is still there, found from the chain alone. */
export interface FoundStream extends StreamState {
  readonly openBlock: bigint;
}

/** Streams that `payer` opened since `fromBlock` and that still hold money, oldest first (P10: no memory of our own is needed). */
export async function findStreams(chain: Chain, payer: Address, fromBlock: bigint): Promise<FoundStream[]> {
  const opened = await readOpenings(chain, payer, fromBlock);
  const states = await Promise.all(opened.map(async ({ id, openBlock }) => ({ ...(await readStream(chain, id)), openBlock })));
  return states.filter(({ status }) => status === "active" || status === "ended").sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Where looking back starts: at the contracts' birth on a local chain, else `seconds` ago. */
export async function lookBackBlock({ client, network }: Chain, seconds: number): Promise<bigint> {
  if (network.isLocal) return network.deployBlock;
  const latest = await client.getBlockNumber().catch((thrown: unknown) => {
    throw decodeRevert(thrown);
  });
  const block = latest - BigInt(Math.ceil((seconds * 1000) / network.blockTimeMs));
  return block > network.deployBlock ? block : network.deployBlock;
}

function readOpenings(chain: Chain, payer: Address, fromBlock: bigint): Promise<{ id: bigint; openBlock: bigint }[]> {
  return inRanges(chain, fromBlock, async (from, to) => {
    const filter = { address: chain.network.contracts.streamPay, event: streamCreated, args: { payer }, fromBlock: from, toBlock: to };
    const logs = await chain.client.getLogs({ ...filter, strict: true });
    return logs.map(({ args, blockNumber }) => ({ id: args.id, openBlock: blockNumber }));
  });
}

/** By ranges of blocks that shrink to what the endpoint allows. */
export async function inRanges<T>(chain: Chain, fromBlock: bigint, read: (from: bigint, to: bigint) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  try {
    const latest = await chain.client.getBlockNumber();
    let range = LARGEST_RANGE;
    for (let from = fromBlock; from <= latest; ) {
      const to = from + range - 1n < latest ? from + range - 1n : latest;
      try {
        found.push(...(await read(from, to)));
        from = to + 1n;
      } catch (thrown) {
        if (range <= SMALLEST_RANGE) throw thrown;
        range /= 4n;
      }
    }
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
  return found;
}

export interface EndOrphanOptions {
  readonly chain: Chain;
  readonly signer: Signer;
  readonly payment: Payment;
  readonly clientOf: (endpoint: string) => ProviderClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the provider's signature under what is owed. */
  readonly settleMs: number;
}

/** Ends a stream that is still open: for what its provider signs as owed if it can be asked, else for what the clock says. */
export async function endOrphan(found: FoundStream, options: EndOrphanOptions): Promise<OpenStream> {
  const { chain, payment, clock, logger } = options;
  const offer = found.providerId === 0 ? undefined : await readOffer(chain, found.providerId);
  const stream: OpenStream = {
    id: found.id,
    offer: offer ?? nobodysOffer(found),
    ratePerSecond: found.ratePerSecond,
    deposit: found.ratePerSecond * BigInt(found.end - found.start),
    start: found.start,
    end: found.end,
    openBlock: found.openBlock,
    openedAtMs: clock.now(),
  };
  const settlement = offer
    ? await askSettlement(stream, options).catch((thrown: unknown) => {
        logger.info({ streamId: String(found.id), code: AppError.from(thrown).code }, "no settlement from the provider; cancelling");
        return undefined;
      })
    : undefined;
  await payment.end(stream, settlement);
  return stream;
}

async function askSettlement(stream: OpenStream, { chain, signer, clientOf, settleMs }: EndOrphanOptions): Promise<Settlement> {
  const client = clientOf(stream.offer.endpoint);
  const limit = AbortSignal.timeout(settleMs);
  const issuedAt = Math.floor((await chainTimeMs(chain)) / 1000);
  const { token } = await client.createSession(await makeProof(chain, signer, stream.id, issuedAt), limit);
  const response = await client.settle(token, limit);
  await verifySettlement(chain, stream, response.settlement);
  // How long it was used is not known here any more; the contract lets it take no more than the clock says.
  return response.settlement;
}

/** A stream to somebody who is in no registry. */
export function nobodysOffer({ payee, asset, ratePerSecond }: Pick<FoundStream, "payee" | "asset" | "ratePerSecond">): OpenStream["offer"] {
  const none = { signer: undefined, serviceType: 0, active: false, registeredAt: 0, completions: 0n, earned: 0n, model: "", endpoint: "" };
  return { id: 0, owner: payee, asset, pricePerSecond: ratePerSecond, ...none };
}
