import type { Chain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { IndexerAnswer, IndexerClient } from "@clawcompute/lib/indexer";
import type { Logger } from "@clawcompute/lib/node";
import { type Address, zeroAddress } from "viem";
import { accruedAt, type OpenStream } from "./openStreams.ts";

export interface Question {
  /** Unix seconds of the newest block. */
  readonly now: number;
  /** What must have accrued in this asset before an update can pay. */
  readonly worthwhile: (asset: Address) => bigint;
  /** Also those that ended, whatever they owe. */
  readonly ended: boolean;
}

/** Where a keeper finds streams. What it says is only where to look: the chain is asked before anything is sent. */
export interface Source {
  readonly name: "chain" | "indexer";
  /** How many streams hold money, where it knows. */
  readonly open: number | undefined;
  find(question: Question): Promise<OpenStream[]>;
  /** The chain says something else about most of what it named. */
  doubt(): void;
}

/** The streams by the chain's own events. `list` is undefined until they have been read. */
export function chainSource(list: () => Iterable<OpenStream> | undefined): Source {
  let open: number | undefined;
  return {
    name: "chain",
    get open() {
      return open;
    },
    find: async (question) => {
      const found: OpenStream[] = [];
      let count = 0;
      for (const stream of list() ?? []) {
        count += 1;
        if (wanted(stream, question)) found.push(stream);
      }
      open = count;
      return found;
    },
    doubt: () => {},
  };
}

function wanted(stream: OpenStream, { now, worthwhile, ended }: Question): boolean {
  const accrued = accruedAt(stream, now);
  return accrued > 0n && (accrued > worthwhile(stream.asset) || (ended && now >= stream.end));
}

const PAGE = 500;
const PAGES = 10;

export interface IndexerSourceOptions {
  readonly client: IndexerClient;
  readonly chain: Chain;
  /** Assets whose rewards count. */
  readonly assets: readonly Address[];
  /** Used while the indexer is away, behind or not believed. */
  readonly otherwise: Source;
  /** Blocks that it may be behind. */
  readonly maxLag: number;
  /** Rounds that it may fail before the chain's events are read: reading them all may be much. Default 0. */
  readonly patience?: number;
  /** How long it is not asked after it was doubted. */
  readonly doubtMs: number;
  readonly now: () => number;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** Asks an indexer for the few streams that matter; goes back to the chain's events when it cannot be used. */
export function indexerSource(options: IndexerSourceOptions): Source {
  const { client, chain, assets, otherwise, maxLag, patience = 0, doubtMs, now, logger } = options;
  let failures = 0;
  let doubtedUntil = Number.NEGATIVE_INFINITY;
  let inUse = true;

  async function ask(question: Question): Promise<OpenStream[]> {
    const [{ chainId, block }, head] = await Promise.all([client.get("health"), chain.client.getBlockNumber()]);
    if (chainId !== chain.network.chainId) throw unusable("it is of another chain", { chainId });
    if (BigInt(block) + BigInt(maxLag) < head) throw unusable("it is behind", { block, head: String(head) });
    const lists: { asset?: Address; status: "open" | "ended"; sort: "accrued" | "end" }[] = assets.map((asset) => ({
      asset,
      status: "open",
      sort: "accrued",
    }));
    if (question.ended) lists.push({ status: "ended", sort: "end" });
    const found = new Map<bigint, OpenStream>();
    for (const list of lists) {
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const { items, next } = await client.get("streams", { ...list, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
        const streams = items.slice(0, PAGE).map(streamOf);
        const useful = streams.filter((stream) => wanted(stream, question));
        for (const stream of useful) found.set(stream.id, stream);
        if (next === null || (list.sort === "accrued" && useful.length < streams.length / 2)) break;
        cursor = next;
      }
    }
    return [...found.values()];
  }

  return {
    get name() {
      return inUse ? "indexer" : otherwise.name;
    },
    get open() {
      return inUse ? undefined : otherwise.open;
    },
    find: async (question) => {
      if (now() >= doubtedUntil) {
        try {
          const found = await ask(question);
          if (!inUse) logger.info({}, "the indexer is asked again");
          inUse = true;
          failures = 0;
          return found;
        } catch (thrown) {
          const { code, message, facts } = AppError.from(thrown);
          failures += 1;
          if (failures <= patience) {
            logger.info({ code, reason: message, facts }, "the indexer cannot be used yet");
            return [];
          }
          if (inUse) logger.warn({ code, reason: message, facts }, "the indexer cannot be used; the chain's events are");
        }
      }
      inUse = false;
      return otherwise.find(question);
    },
    doubt: () => {
      if (!inUse) return;
      doubtedUntil = now() + doubtMs;
      logger.warn({ forMs: doubtMs }, "the indexer's word is not the chain's: it is not asked for a while");
    },
  };
}

function streamOf({ id, payee, asset, providerId, ratePerSecond, lastPaid, end }: IndexerAnswer<"streams">["items"][number]): OpenStream {
  // What no call can name would stop every round.
  if (!/^[1-9]\d{0,76}$/.test(id)) throw unusable("it names what is no stream", { id: id.slice(0, 80) });
  return {
    id: BigInt(id),
    payee,
    asset: asset === zeroAddress ? zeroAddress : asset,
    providerId,
    ratePerSecond: BigInt(ratePerSecond),
    lastPaid,
    end,
  };
}

function unusable(reason: string, facts: Record<string, unknown>): AppError {
  return new AppError("INDEXER_UNAVAILABLE", `The indexer cannot be used: ${reason}.`, { facts: facts as AppError["facts"] });
}

const MOST_BYTES = 4_000_000;

/** An answer that never ends must not fill the memory: it is cut off. */
export const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!response.body) return response;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) controller.error(new Error("the answer is too long"));
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(limit), response);
};
