import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import {
  and,
  asc,
  type Database,
  desc,
  eq,
  getTableColumns,
  indexerEvents,
  type PageText,
  pageItem,
  readPage,
  sql,
} from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits } from "../cursor.ts";

type EventItem = IndexerAnswer<"streamEvents">["items"][number];

export function eventItem({
  blockNumber,
  logIndex,
  transactionHash,
  at,
  contract,
  name,
  args,
}: typeof indexerEvents.$inferSelect): EventItem {
  return { blockNumber, logIndex, transactionHash, at, contract: contract as EventItem["contract"], name, args };
}

export interface EventPage {
  readonly chainId: number;
  /** Left out: all. */
  readonly subject?: string;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const { chainId: _, blockHash: __, subject: ___, ...columns } = getTableColumns(indexerEvents);
const eventText = pageItem<EventItem>(columns);

/** The events that tell about one thing, or all. */
export function readEvents(db: Database, { chainId, subject, order, limit, cursor }: EventPage): Promise<PageText<EventItem>> {
  const keys = decodeCursor(cursor, [digits, digits]);
  const direction = order === "asc" ? asc : desc;
  const { blockNumber, logIndex } = indexerEvents;
  return readPage<EventItem>(db, {
    from: sql`${indexerEvents}`,
    where: and(
      eq(indexerEvents.chainId, chainId),
      subject === undefined ? undefined : eq(indexerEvents.subject, subject),
      beyond([sql`${blockNumber}`, sql`${logIndex}`], keys, order),
    ),
    orderBy: [direction(blockNumber), direction(logIndex)],
    item: eventText,
    keys: [blockNumber, logIndex],
    limit,
  });
}

/** The same, for one thing that is told with its events. */
export async function listEvents(db: Database, page: EventPage): Promise<EventItem[]> {
  return JSON.parse(`[${(await readEvents(db, page)).items}]`) as EventItem[];
}
