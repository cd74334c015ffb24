import type { IndexerAnswer } from "@clawcompute/lib/indexer";
import { and, asc, type Database, desc, eq, indexerEvents, readRows, sql } from "@clawcompute/lib/store";
import { beyond, decodeCursor, digits, paged } from "../cursor.ts";

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

/** The events that tell about one thing, or all. */
export async function readEvents(
  db: Database,
  { chainId, subject, order, limit, cursor }: EventPage,
): Promise<{ items: EventItem[]; next: string | null }> {
  const keys = decodeCursor(cursor, [digits, digits]);
  const direction = order === "asc" ? asc : desc;
  const rows = await readRows(db, indexerEvents, {
    where: and(
      eq(indexerEvents.chainId, chainId),
      subject === undefined ? undefined : eq(indexerEvents.subject, subject),
      beyond([sql`${indexerEvents.blockNumber}`, sql`${indexerEvents.logIndex}`], keys, order),
    ),
    orderBy: [direction(indexerEvents.blockNumber), direction(indexerEvents.logIndex)],
    limit: limit + 1,
  });
  return paged(rows, limit, eventItem, (row) => [row.blockNumber, row.logIndex]);
}
