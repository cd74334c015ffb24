import { readOffer } from "@clawcompute/lib/chain";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Address } from "viem";
import { type ChainEvent, journalOf } from "./journal.ts";
import { networkQuery } from "./network.ts";
import { fromEither, refresh, type Source } from "./source.tsx";

export interface EventPage {
  /** Newest first. */
  readonly events: readonly ChainEvent[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: Place | undefined;
}

interface Place {
  readonly blockNumber: number;
  readonly logIndex: number;
}

const PAGE = 50;
const first: Place = { blockNumber: Number.MAX_SAFE_INTEGER, logIndex: 0 };
const isBefore = (a: Place, b: Place) => a.blockNumber < b.blockNumber || (a.blockNumber === b.blockNumber && a.logIndex < b.logIndex);

/** What happened, newest first. Pages begin at a place in the chain, so that they fit together whoever tells them. */
export const activityQuery = (source: Source) =>
  infiniteQueryOptions({
    queryKey: ["activity", source.chain.network.chainId],
    initialPageParam: first,
    queryFn: ({ client, pageParam }) =>
      fromEither(
        source,
        async (indexer): Promise<EventPage> => {
          const cursor = pageParam === first ? {} : { cursor: cursorOf(pageParam) };
          const { items, next } = await indexer.get("events", { limit: PAGE, ...cursor });
          return { events: items, next: next === null ? undefined : items.at(-1) };
        },
        async () => {
          const { events } = await journalOf(client, source.chain);
          const before = events.filter((event) => isBefore(event, pageParam));
          const page = before.slice(-PAGE).reverse();
          return { events: page, next: before.length > PAGE ? page.at(-1) : undefined };
        },
      ),
    getNextPageParam: ({ next }) => next,
    // Every page that is shown is read again: the more there are, the less often.
    refetchInterval: ({ state }) => refresh(source.chain) * Math.max(1, state.data?.pages.length ?? 1),
  });

/** The cursor that the indexer gives with a page that ends here. */
const cursorOf = ({ blockNumber, logIndex }: Place) =>
  btoa(JSON.stringify([String(blockNumber), String(logIndex)]))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** What an event is about. */
export type Subject = { readonly kind: "provider" | "stream" | "channel"; readonly id: string };

/** The asset that a thing's amounts are in, which its later events do not name. It never changes. */
export const assetOfQuery = (source: Source, subject: Subject) =>
  queryOptions({
    queryKey: ["asset of", source.chain.network.chainId, subject.kind, subject.id],
    queryFn: async ({ client }): Promise<Address | undefined> => {
      const { kind, id } = subject;
      if (kind === "provider") return (await readOffer(source.chain, Number(id))).asset;
      const totals = await client.fetchQuery({ ...networkQuery(source), staleTime: refresh(source.chain) });
      const [only] = totals.assets;
      if (only && totals.assets.length === 1) return only.asset;
      return fromEither(
        source,
        async (indexer) => (kind === "stream" ? await indexer.get("stream", { id }) : await indexer.get("channel", { id })).asset,
        async () => {
          const { events } = await journalOf(client, source.chain);
          const opening = events.find(({ name, args }) =>
            kind === "stream" ? name === "StreamCreated" && args.id === id : name === "ChannelOpened" && args.channelId === id,
          );
          return (opening?.args.asset ?? opening?.args.token) as Address | undefined;
        },
      );
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
